import type { ProductRecord } from '../codec/messages.ts'
import { geometryOf, type TensorSize } from '../layout.ts'
import { operandNames } from '../manifest/manifest.ts'
import { drawWithoutReplacement } from '../random/draw.ts'
import { deriveSeed } from '../random/seed.ts'
import { randomStream } from '../random/stream.ts'
import type { OpenedRowNumbers } from '../sampling/opened-rows.ts'
import { evaluation, type RelationSources, type TensorName, TooMuch } from './evaluate.ts'
import type { Estimate } from './functions.ts'
import type { Relation } from './relation.ts'
import { shapeInLayout, sizeOf } from './shapes.ts'

/** What an operation of a step has to show of the tensors that it reads. */
export interface RelationsAsked {
  readonly record: ProductRecord
  readonly relations: { readonly [name in OperandName]?: Relation | undefined }
  /** An earlier operation of the same step, by its place in the manifest; undefined for one that is not there. */
  source(place: number): ProductRecord | undefined
  /** Rows that are opened of the operation's own tensors. */
  readonly opened: OpenedRowNumbers
  /** Unknown to the prover until all of these tensors were committed to. */
  readonly seed: Uint8Array
}

export interface RelationsPlan {
  /** For each tensor that is derived: the elements to compare, by their places in row-major order. */
  readonly elements: ReadonlyMap<OperandName, readonly number[]>
  /** Those of which nothing is compared, because it would be too much work. */
  readonly passedOver: readonly OperandName[]
  /** The rows from which they follow, of each tensor once, in the order in which the steps name them. */
  readonly needed: readonly NeededRows[]
}

export interface NeededRows extends CommittedShape {
  /** The first operation that has the tensor, by its place in the manifest, and what it is there. */
  readonly place: number
  readonly name: TensorName
  /** Ascending. */
  readonly rows: Uint32Array
}

interface CommittedShape {
  readonly tensor: number
  readonly size: TensorSize
  /** As the layout has it. */
  readonly shape: readonly number[]
}

type OperandName = (typeof operandNames)[number]

/** Rows of the derived tensor of which elements are compared, at most. */
const maxRows = 4
/** Elements of each of them, where they follow from few rows of others and where they follow from many. */
const manyElements = 128
const fewElements = 4
const fewSourceRows = 8
/** Elements of steps that are evaluated for one row, and for all of them: sizes are a stranger's, the work must not be. */
const maxStepsOfRow = 2 ** 23
const maxSteps = 2 ** 25

/**
 * Decides which elements of derived tensors are compared, and which rows of others they follow from. Both sides come to
 * the same plan.
 *
 * @throws {RangeError} If the tensors do not fit the relations.
 */
export function planRelations({ record, relations, source, opened, seed }: RelationsAsked): RelationsPlan {
  const needed = new Map<number, Found>()
  const elements = new Map<OperandName, readonly number[]>()
  const passedOver: OperandName[] = []
  const work = { left: maxSteps }
  for (const name of operandNames) {
    const [relation, rows] = [relations[name], opened[name]]
    if (relation === undefined || rows === undefined) continue
    const { size } = committedShape(record, name)
    const own = deriveSeed(seed, 'relation', name)
    const traced = { relation, size, source, work }
    const chosen: number[] = []
    const drawn = drawnRows(rows, own)
    for (const row of drawn) {
      let places = drawnPlaces(row, size.cols, own, manyElements)
      let found = trace(traced, places, fewSourceRows)
      if (found === undefined) {
        places = drawnPlaces(row, size.cols, own, fewElements)
        found = trace(traced, places)
      }
      if (found === undefined) continue
      for (const [tensor, part] of found) {
        const all = needed.get(tensor) ?? { ...part, rows: new Set<number>() }
        needed.set(tensor, all)
        for (const sourceRow of part.rows) all.rows.add(sourceRow)
      }
      chosen.push(...places)
    }
    if (chosen.length === 0 && drawn.length > 0 && size.cols > 0) passedOver.push(name)
    elements.set(name, chosen)
  }
  // What joins several tensors names some that no chosen element comes from.
  const read = [...needed.values()].filter(({ rows }) => rows.size > 0)
  return {
    elements,
    passedOver,
    needed: read.map((found) => ({ ...found, rows: Uint32Array.from(found.rows).sort() })),
  }
}

/** A tensor of an operation, as its record states it. */
export function committedShape(record: ProductRecord, name: TensorName): CommittedShape {
  const { layout, b } = record
  const { a, c, matrices, n, k } = geometryOf(layout)
  const number = { a: record.a, b: b.kind === 'activation' ? b.tensor : undefined, c: record.c, addend: record.addend }
  const tensor = number[name]
  if (tensor === undefined) throw new RangeError(`operation ${record.sequence} has no ${name}`)
  const sizes = { a, b: { rows: matrices * n, cols: k }, c, addend: c }
  return { tensor, size: sizes[name], shape: shapeInLayout(layout, name) }
}

function drawnRows(opened: Uint32Array, seed: Uint8Array): number[] {
  const chosen = drawWithoutReplacement(
    randomStream(deriveSeed(seed, 'relation-rows')),
    Math.min(maxRows, opened.length),
    opened.length,
  )
  return Array.from(chosen, (place) => opened[place]!)
}

function drawnPlaces(row: number, cols: number, seed: Uint8Array, count: number): number[] {
  const stream = randomStream(deriveSeed(seed, 'relation-elements', row, count))
  return Array.from(drawWithoutReplacement(stream, Math.min(count, cols), cols), (j) => row * cols + j)
}

interface Found extends CommittedShape {
  readonly place: number
  readonly name: TensorName
  readonly rows: Set<number>
}

interface Traced {
  readonly relation: Relation
  /** Of the derived tensor. */
  readonly size: TensorSize
  readonly source: RelationsAsked['source']
  /** What may still be evaluated. */
  readonly work: { left: number }
}

/**
 * The rows that elements follow from: what an evaluation reads, whatever it reads there.
 *
 * @param most - Rows.
 * @returns Undefined if there are more, or it would be too much work to say.
 * @throws {RangeError} If the tensors do not fit the relation.
 */
function trace(
  { relation, size, source, work }: Traced,
  places: readonly number[],
  most: number = Number.POSITIVE_INFINITY,
): Map<number, Found> | undefined {
  const found = new Map<number, Found>()
  let steps = 0
  let count = 0
  const sources: RelationSources = {
    tensor(place, name) {
      const record = source(place)
      if (record === undefined) throw new RangeError(`operation ${place} of the manifest is not there`)
      const committed = committedShape(record, name)
      const { tensor, shape } = committed
      const { rows } = found.get(tensor) ?? { rows: new Set<number>() }
      found.set(tensor, found.get(tensor) ?? { ...committed, place, name, rows })
      return {
        shape,
        element(index) {
          const row = Math.floor(index / committed.size.cols)
          if (!rows.has(row)) {
            rows.add(row)
            count++
            if (count > most) throw new TooMuch()
          }
          return 0
        },
      }
    },
    weight: () => () => 0,
  }
  function step(): void {
    if (++steps > maxStepsOfRow || --work.left < 0) throw new TooMuch()
  }
  try {
    const { shape, at } = evaluation(relation, sources, step)
    if (sizeOf(shape) !== size.rows * size.cols) {
      throw new RangeError(`it gives a tensor of shape [${shape}], not of ${size.rows}×${size.cols}`)
    }
    const out: Estimate = { value: 0.5, error: 0.5 }
    for (const place of places) at(place, out)
    return found
  } catch (error) {
    if (error instanceof TooMuch) return undefined
    throw error
  }
}
