import { deriveSeed } from '../random/seed.ts'
import type { Sampler, SamplerFactory, SamplingPlan, UnitShape } from '../sampling/sampler.ts'
import { assert, assertEqual } from './assert.ts'
import { checkDetection } from './sampler/detection.ts'

/** What the author of a sampler supplies. */
export interface SamplerContext {
  readonly factory: SamplerFactory
  /** What the sampler under test is made with; every parameter it has where none are given. */
  readonly parameters?: Readonly<Record<string, number>>
  /** Plans simulated for each shape. Default 2000; a smaller number lets smaller overstatements through. */
  readonly plans?: number
}

export interface SamplerCase {
  readonly name: string
  /** @throws If the sampler breaks its contract, with a message that says how. */
  run(context: SamplerContext): void
}

const shapes: readonly UnitShape[] = [
  { rows: 1, k: 8, n: 8, right: 'weight' },
  { rows: 5, k: 4, n: 3, right: 'activation' },
  { rows: 16, k: 1, n: 1, right: 'weight' },
  { rows: 40, k: 8, n: 30, right: 'activation' },
  { rows: 200, k: 16, n: 50, right: 'weight' },
  { rows: 3000, k: 8, n: 40, right: 'activation' },
]

const emptyShapes: readonly UnitShape[] = (['weight', 'activation'] as const).flatMap((right) => [
  { rows: 0, k: 8, n: 8, right },
  { rows: 8, k: 0, n: 8, right },
  { rows: 8, k: 8, n: 0, right },
])

/**
 * The contract of a {@link Sampler} as cases that any test runner can run. Seeds are fixed, so that a verdict repeats.
 *
 * @example
 * ```ts
 * for (const { name, run } of samplerConformance) test(name, () => run({ factory: mySampler }))
 * ```
 */
export const samplerConformance: readonly SamplerCase[] = [
  {
    name: 'equal seeds and shapes give equal plans, whatever was planned in between',
    run(context) {
      const sampler = samplerOf(context)
      const plans = shapes.map((shape) => sampler.plan(seed(1), shape))
      for (const shape of shapes) sampler.plan(seed(2), shape)
      for (const [i, shape] of shapes.entries()) assertSamePlan(sampler.plan(seed(1), shape), plans[i]!, shape)
    },
  },
  {
    name: 'a sampler made of the published parameters gives the same plans',
    run(context) {
      const sampler = samplerOf(context)
      const again = context.factory(JSON.parse(JSON.stringify(sampler.parameters)))
      assertEqual(again.name, sampler.name, 'name')
      for (const shape of shapes) assertSamePlan(again.plan(seed(3), shape), sampler.plan(seed(3), shape), shape)
    },
  },
  {
    name: 'planning changes neither the seed nor the shape',
    run(context) {
      const given = seed(4)
      for (const shape of shapes) {
        samplerOf(context).plan(given, Object.freeze({ ...shape }))
        assertEqual(given.join(), seed(4).join(), 'seed after planning')
      }
    },
  },
  {
    name: 'rows and columns ascend, within the product, without repetition',
    run(context) {
      const sampler = samplerOf(context)
      for (const shape of shapes) {
        for (let i = 0; i < 100; i++) {
          const plan = sampler.plan(seed(i), shape)
          assertAscending(plan.rows, shape.rows, `rows for ${describe(shape)}`)
          if (plan.columns !== undefined) assertAscending(plan.columns, shape.n, `columns for ${describe(shape)}`)
        }
      }
    },
  },
  {
    name: 'nothing is planned for an empty product, and nothing claimed',
    run(context) {
      const sampler = samplerOf(context)
      for (const shape of emptyShapes) {
        const { rows, columns } = sampler.plan(seed(5), shape)
        assertEqual(rows.length + (columns?.length ?? 0), 0, `rows and columns for ${describe(shape)}`)
        assertEqual(sampler.detectionProbability(shape, { rows: 0 }), 0, `detection for ${describe(shape)}`)
        const everything = sampler.detectionProbability(shape, { rows: shape.rows })
        assertEqual(everything, 0, `detection for ${describe(shape)}, all of it corrupted`)
      }
    },
  },
  {
    name: 'the published detection probability is a probability, and does not fall as more rows are wrong',
    run(context) {
      const sampler = samplerOf(context)
      for (const shape of shapes) {
        assertEqual(sampler.detectionProbability(shape, { rows: 0 }), 0, `detection of nothing for ${describe(shape)}`)
        let fewer = 0
        for (let rows = 1; rows <= shape.rows; rows += Math.ceil(shape.rows / 50)) {
          const p = sampler.detectionProbability(shape, { rows })
          assert(p >= 0 && p <= 1, `detection of ${rows} rows for ${describe(shape)} must be a probability, got ${p}`)
          assert(p >= fewer - 1e-12, `detection falls from ${fewer} to ${p} at ${rows} rows for ${describe(shape)}`)
          fewer = p
        }
      }
    },
  },
  {
    name: 'the published detection probability holds wherever the corruption is placed',
    run(context) {
      const sampler = samplerOf(context)
      for (const shape of shapes) {
        const plans = Array.from({ length: context.plans ?? 2000 }, (_, i) => sampler.plan(seed(i), shape))
        checkDetection(sampler, shape, plans)
      }
    },
  },
  {
    name: 'parameters that are unknown or not finite are refused with a RangeError',
    run(context) {
      const { parameters } = samplerOf(context)
      const bad = Object.keys(parameters).flatMap((name) => [
        { ...parameters, [name]: Number.NaN },
        { ...parameters, [name]: Number.POSITIVE_INFINITY },
      ])
      for (const given of [{ ...parameters, 'no such parameter': 1 }, ...bad]) {
        const shown = Object.entries(given).map(([name, value]) => `${name} = ${value}`)
        assert(refuses(context.factory, given), `expected a RangeError for ${shown.join(', ')}`)
      }
    },
  },
]

function samplerOf({ factory, parameters = {} }: SamplerContext): Sampler {
  return factory(parameters)
}

function seed(number: number): Uint8Array {
  return deriveSeed(new Uint8Array(32), 'sampler conformance', number)
}

function describe({ rows, k, n, right }: UnitShape): string {
  return `${rows} rows, k = ${k}, n = ${n}, times ${right === 'weight' ? 'a weight' : 'an activation'}`
}

function assertSamePlan(actual: SamplingPlan, expected: SamplingPlan, shape: UnitShape): void {
  assertEqual(actual.rows.join(), expected.rows.join(), `rows for ${describe(shape)}`)
  assertEqual(actual.columns?.join(), expected.columns?.join(), `columns for ${describe(shape)}`)
}

function assertAscending(indices: Uint32Array, limit: number, what: string): void {
  assert(indices instanceof Uint32Array, `${what}: expected a Uint32Array`)
  for (const [i, index] of indices.entries()) {
    assert(
      index < limit && (i === 0 || index > indices[i - 1]!),
      `${what}: expected to ascend below ${limit}, got ${indices}`,
    )
  }
}

function refuses(factory: SamplerFactory, parameters: Readonly<Record<string, number>>): boolean {
  try {
    factory(parameters)
    return false
  } catch (error) {
    return error instanceof RangeError
  }
}
