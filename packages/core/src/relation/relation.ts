import * as v from 'valibot'
import { binaryNames, type RelationStep, reductionNames, unaryNames } from './derivation.ts'

/** Steps of a relation, at most: a residual stream grows by two with every layer. */
export const maxRelationSteps = 1024

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const finite = v.pipe(v.number(), v.finite())
const maxRank = 8
/** Eight batches, and a matrix. */
const maxLayoutRank = 10
const axis = v.pipe(count, v.maxValue(maxRank - 1))
const axes = v.pipe(
  v.array(axis),
  v.maxLength(maxRank),
  v.check((list) => new Set(list).size === list.length, 'Expected axes that differ'),
)
/** At most one size may be free: it follows from the number of elements. */
const shape = v.pipe(
  v.array(v.nullable(count)),
  v.maxLength(maxRank),
  v.check((sizes) => sizes.filter((size) => size === null).length <= 1, 'Expected at most one size that is null'),
)
/** A step before, by its place. */
const x = count

const step = v.variant('op', [
  /**
   * A tensor of an earlier operation of the manifest; its shape is that of its layout unless given. `layout` is the shape
   * that its layout must have, null where that differs from run to run: who declares other batches may leave out products.
   */
  v.strictObject({
    op: v.literal('tensor'),
    operation: count,
    tensor: v.picklist(['a', 'b', 'c', 'addend']),
    shape: v.optional(shape),
    layout: v.optional(v.pipe(v.array(v.nullable(count)), v.maxLength(maxLayoutRank))),
  }),
  v.strictObject({
    op: v.literal('weight'),
    digest: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
    shape: v.pipe(v.array(count), v.maxLength(maxRank)),
  }),
  v.strictObject({ op: v.literal('number'), value: finite }),
  v.strictObject({ op: v.literal('reshape'), x, shape }),
  v.strictObject({ op: v.literal('transpose'), x, permutation: axes }),
  v.strictObject({ op: v.literal('slice'), x, axis, start: count, end: v.nullable(count) }),
  v.strictObject({ op: v.literal('concat'), of: v.pipe(v.array(x), v.minLength(1), v.maxLength(64)), axis }),
  v.strictObject({ op: v.picklist(binaryNames), x, y: count }),
  v.strictObject({ op: v.picklist(unaryNames), x }),
  v.strictObject({ op: v.picklist(reductionNames), x, axes, keepDims: v.boolean() }),
  v.strictObject({ op: v.literal('softmax'), x, axis }),
  v.strictObject({
    op: v.literal('normalize'),
    x,
    axis,
    epsilon: v.pipe(finite, v.minValue(0)),
    centred: v.boolean(),
  }),
])

/** How a tensor follows from tensors of operations before: steps, each over steps before it. The last one is the tensor. */
export const relationSchema = v.pipe(
  v.array(step),
  v.minLength(1),
  v.maxLength(maxRelationSteps),
  v.check(
    (steps) => steps.every((step, i) => inputsOf(step).every((input) => input < i)),
    'Expected steps that read steps before them',
  ),
)

export type Relation = v.InferOutput<typeof relationSchema>
export type RelationNode = Relation[number]

/** What a step reads. */
export function inputsOf<Input>(
  step: RelationStep<Input> | { readonly op: 'tensor' | 'weight' | 'number' },
): readonly Input[] {
  if ('of' in step) return step.of
  if ('y' in step) return [step.x, step.y]
  return 'x' in step ? [step.x] : []
}
