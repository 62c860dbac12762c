import type { ProductRecord } from '../codec/messages.ts'
import { geometryOf, type TensorSize } from '../layout.ts'
import { operandNames } from '../manifest/manifest.ts'
import { drawWithoutReplacement } from '../random/draw.ts'
import { deriveSeed } from '../random/seed.ts'
import { randomStream } from '../random/stream.ts'
import type { OpenedRowNumbers } from '../sampling/opened-rows.ts'
import { evaluation, type RelationSources, type TensorName } from './evaluate.ts'
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
const maxRows = 8
/** A row is compared as a whole if it follows from this many rows of others, at most. */
const maxSourceRows = 64
/** Of other rows, and of very long ones, so many elements are drawn. */
const drawnElements = 16
const maxWholeRow = 2 ** 14
/** Elements that one relation may read: sizes are a stranger's, the work must not be. */
const maxReads = 2 ** 20

/**
 * Decides which elements of derived tensors are compared, and which rows of others they follow from. Both sides come to
 * the same plan.
 *
 * @throws {RangeError} If the tensors do not fit the relations, or more would have to be read than is ever honest.
 */
export function planRelations({ record, relations, source, opened, seed }: RelationsAsked): RelationsPlan {
  const needed = new Map<number, Found>()
  const elements = new Map<OperandName, readonly number[]>()
  for (const name of operandNames) {
    const [relation, rows] = [relations[name], opened[name]]
    if (relation === undefined || rows === undefined) continue
    const { size } = committedShape(record, name)
    const own = deriveSeed(seed, 'relation', name)
    const chosen: number[] = []
    for (const row of drawnRows(rows, own)) {
      const whole = Array.from({ length: size.cols }, (_, j) => row * size.cols + j)
      const places =
        size.cols <= maxWholeRow && trace({ relation, size, source }, whole, maxSourceRows) !== undefined
          ? whole
          : drawnPlaces(row, size.cols, own)
      for (const [tensor, found] of trace({ relation, size, source }, places)!) {
        const all = needed.get(tensor) ?? { ...found, rows: new Set<number>() }
        needed.set(tensor, all)
        for (const sourceRow of found.rows) all.rows.add(sourceRow)
      }
      chosen.push(...places)
    }
    elements.set(name, chosen)
  }
  // What joins several tensors names some that no chosen element comes from.
  const read = [...needed.values()].filter(({ rows }) => rows.size > 0)
  return { elements, needed: read.map((found) => ({ ...found, rows: Uint32Array.from(found.rows).sort() })) }
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

function drawnPlaces(row: number, cols: number, seed: Uint8Array): number[] {
  const stream = randomStream(deriveSeed(seed, 'relation-elements', row))
  return Array.from(drawWithoutReplacement(stream, Math.min(drawnElements, cols), cols), (j) => row * cols + j)
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
}

/**
 * The rows that elements follow from: what an evaluation reads, whatever it reads there.
 *
 * @param most - Rows; of no avail beyond it.
 * @returns Undefined if there are more.
 * @throws {RangeError} If the tensors do not fit the relation, or too many elements would be read.
 */
function trace(
  { relation, size, source }: Traced,
  places: readonly number[],
  most: number = Number.POSITIVE_INFINITY,
): Map<number, Found> | undefined {
  const found = new Map<number, Found>()
  let reads = 0
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
          if (++reads > maxReads) throw new RangeError(`more than ${maxReads} elements would be read`)
          const row = Math.floor(index / committed.size.cols)
          if (!rows.has(row)) {
            rows.add(row)
            count++
            if (count > most) throw new TooMany()
          }
          return 0
        },
      }
    },
    weight: () => () => 0,
  }
  try {
    const { shape, at } = evaluation(relation, sources)
    if (sizeOf(shape) !== size.rows * size.cols) {
      throw new RangeError(`it gives a tensor of shape [${shape}], not of ${size.rows}×${size.cols}`)
    }
    const out: Estimate = { value: 0.5, error: 0.5 }
    for (const place of places) at(place, out)
    return found
  } catch (error) {
    if (error instanceof TooMany) return undefined
    throw error
  }
}

class TooMany extends Error {}
