import type { KnownWeights } from '../prover/weights.ts'
import type { Derivation } from '../relation/derivation.ts'
import { inputsOf, maxRelationSteps, type Relation, type RelationNode } from '../relation/relation.ts'
import { sizeOf } from '../relation/shapes.ts'
import type { WeightStore } from '../weights.ts'

/** A derivation, taken down while the library still had its vectors. */
export interface RecordedDerivation {
  readonly steps: readonly Derivation[]
  /** By step: digests of the public tensors. */
  readonly digests: ReadonlyMap<Derivation, Promise<string>>
}

/** @returns Undefined if there is none, or it is too long for a relation. */
export function takeDown(derivation: Derivation | undefined, weights: KnownWeights): RecordedDerivation | undefined {
  if (derivation === undefined) return undefined
  const steps = inOrder(derivation)
  if (steps.length > maxRelationSteps) return undefined
  const digests = new Map<Derivation, Promise<string>>()
  for (const step of steps) {
    if (step.op !== 'weight') continue
    const found = step.vector.stored()
    const digest = found instanceof Promise ? found.then((stored) => weights.digest(stored)) : weights.digest(found)
    digests.set(step, Promise.resolve(digest))
  }
  return { steps, digests }
}

/** Where a tensor stands in a manifest, and the shape in which the layout there sees it. */
export interface RecordedSource {
  readonly operation: number
  readonly tensor: 'a' | 'b' | 'c' | 'addend'
  readonly shape: readonly number[]
}

/**
 * A derivation as a manifest states it.
 *
 * @returns Undefined if it reads what no operation before has, or a tensor that is not public.
 */
export async function relationOf(
  { steps, digests }: RecordedDerivation,
  sourceOf: (key: object) => RecordedSource | undefined,
  store: WeightStore,
): Promise<Relation | undefined> {
  const places = new Map(steps.map((step, place) => [step, place]))
  const relation: RelationNode[] = []
  for (const step of steps) {
    if (step.op === 'tensor') {
      const source = sourceOf(step.key)
      if (source === undefined || sizeOf(source.shape) !== sizeOf(step.shape)) return undefined
      const { operation, tensor, shape } = source
      const isPlain = String(shape) === String(step.shape)
      relation.push({
        op: 'tensor',
        operation,
        tensor,
        layout: [...shape],
        ...(!isPlain && { shape: [...step.shape] }),
      })
    } else if (step.op === 'weight') {
      const digest = await digests.get(step)!
      if (store.find(digest) === undefined) return undefined
      relation.push({ op: 'weight', digest, shape: [...step.shape] })
    } else if (step.op === 'number') {
      relation.push(step)
    } else {
      const place = (input: Derivation) => places.get(input)!
      const inputs =
        'of' in step
          ? { of: step.of.map(place) }
          : 'y' in step
            ? { x: place(step.x), y: place(step.y) }
            : { x: place(step.x) }
      relation.push(structuredClone({ ...step, ...inputs }) as RelationNode)
    }
  }
  return relation
}

/**
 * What two runs have in common: a size that differs is left free.
 *
 * @returns Undefined if they differ in more than that.
 */
export function commonRelation(a: Relation, b: Relation): Relation | undefined {
  if (a.length !== b.length) return undefined
  const merged: RelationNode[] = []
  for (const [i, step] of a.entries()) {
    const node = commonStep(step, b[i]!)
    if (node === undefined) return undefined
    merged.push(node)
  }
  return merged
}

function commonStep(a: RelationNode, b: RelationNode): RelationNode | undefined {
  if (JSON.stringify(a) === JSON.stringify(b)) return a
  if (a.op === 'tensor' && b.op === 'tensor' && JSON.stringify(a.layout) !== JSON.stringify(b.layout)) {
    const layout = commonLayout(a.layout, b.layout)
    return layout && commonStep({ ...a, layout }, { ...b, layout })
  }
  if ((a.op === 'tensor' || a.op === 'reshape') && a.op === b.op) {
    if (a.shape === undefined || b.shape === undefined) return undefined
    const shape = commonShape(a.shape, b.shape)
    const isRest = JSON.stringify({ ...a, shape }) === JSON.stringify({ ...b, shape })
    return shape && isRest ? { ...a, shape } : undefined
  }
  return undefined
}

type FreeShape = (number | null)[]

function commonLayout(a: FreeShape | undefined, b: FreeShape | undefined): FreeShape | undefined {
  return a?.length === b?.length ? a?.map((size, axis) => (size === b![axis] ? size : null)) : undefined
}

/**
 * Leaves the first size of layouts free whose other sizes are the same in all runs: rows and batches may be more or fewer,
 * and follow from the number of elements.
 */
export function withFreeBatches(relation: Relation): Relation {
  return relation.map((step) => {
    if (step.op !== 'tensor' || step.layout === undefined) return step
    const [, ...others] = step.layout
    return others.includes(null) ? step : { ...step, layout: [null, ...others] }
  })
}

function commonShape(a: FreeShape, b: FreeShape): FreeShape | undefined {
  if (a.length !== b.length) return undefined
  const shape = a.map((size, axis) => (size === b[axis] ? size : null))
  return shape.filter((size) => size === null).length <= 1 ? shape : undefined
}

/** The steps of a derivation, each after those that it reads. */
function inOrder(derivation: Derivation): Derivation[] {
  const placed = new Set<Derivation>()
  const waiting: Derivation[] = [derivation]
  while (waiting.length > 0) {
    const step = waiting.at(-1)!
    const missing = inputsOf<Derivation>(step).filter((input) => !placed.has(input))
    if (missing.length === 0) {
      placed.add(step)
      waiting.pop()
    } else waiting.push(...missing)
  }
  return [...placed]
}
