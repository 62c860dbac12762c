import { deriveSeed } from '../../src/random/seed.ts'
import { randomStream } from '../../src/random/stream.ts'
import { drawDetection } from '../../src/sampling/detection.ts'
import { grid } from '../../src/sampling/grid.ts'
import { rows } from '../../src/sampling/rows.ts'
import type { Sampler, SamplerFactory } from '../../src/sampling/sampler.ts'

export interface SamplerFault {
  readonly factory: SamplerFactory
  /** Name of the case that must fail, and what it must say. */
  readonly caughtBy: string
  readonly message: RegExp
}

/** The good `rows` with some of its methods replaced. */
function faulty(fault: (good: Sampler) => Partial<Sampler>): SamplerFactory {
  return (parameters) => {
    const good = rows(parameters)
    return { ...good, ...fault(good) }
  }
}

const detection = 'the published detection probability holds wherever the corruption is placed'
const purity = 'equal seeds and shapes give equal plans, whatever was planned in between'
const remaking = 'a sampler made of the published parameters gives the same plans'
const form = 'rows and columns ascend, within the product, without repetition'
const empties = 'nothing is planned for an empty product, and nothing claimed'
const probability = 'the published detection probability is a probability, and does not fall as more rows are wrong'
const inputs = 'planning changes neither the seed nor the shape'
const parameterCheck = 'parameters that are unknown or not finite are refused with a RangeError'

export const faults: Record<string, SamplerFault> = {
  'draws by remainder, which favours some rows': {
    factory: faulty(() => ({
      plan(seed, { rows: m, n }) {
        const stream = randomStream(deriveSeed(seed, 'rows'))
        const drawn = Array.from({ length: m === 0 || n === 0 ? 0 : 4 }, () => stream.bytes(1)[0]! % m)
        return { rows: Uint32Array.from(new Set([...drawn, m - 1])).sort() }
      },
      detectionProbability: (shape, bad) => drawDetection(shape.rows, bad.rows, Math.min(4, shape.rows)),
    })),
    caughtBy: detection,
    message: /plans notice, but a probability of/,
  },
  'never draws the last row': {
    factory: (parameters) => {
      const good = grid(parameters)
      const plan: Sampler['plan'] = (seed, shape) =>
        shape.rows < 2 ? good.plan(seed, shape) : good.plan(seed, { ...shape, rows: shape.rows - 1 })
      return { ...good, plan }
    },
    caughtBy: detection,
    message: /the last rows.*: 0 of 2000 plans notice/,
  },
  'draws the same rows whatever the seed': {
    factory: faulty((good) => ({ plan: (_, shape) => good.plan(new Uint8Array(32), shape) })),
    caughtBy: detection,
    message: /: 0 of 2000 plans notice/,
  },
  'publishes as if it drew one row more than it does': {
    factory: (parameters) => {
      const { atLeast } = rows(parameters).parameters as { atLeast: number }
      const { detectionProbability } = rows({ ...parameters, atLeast: atLeast + 1 })
      return { ...rows(parameters), detectionProbability }
    },
    caughtBy: detection,
    message: /plans notice, but a probability of/,
  },
  'publishes for columns as if it checked whole rows': {
    factory: faulty((good) => ({
      detectionProbability: (shape, bad) => good.detectionProbability({ ...shape, right: 'weight' }, bad),
    })),
    caughtBy: detection,
    message: /\(the first columns\) wrong/,
  },
  'publishes NaN': {
    factory: faulty((good) => ({
      detectionProbability: (shape, bad) => (bad.rows === 1 ? Number.NaN : good.detectionProbability(shape, bad)),
    })),
    caughtBy: probability,
    message: /must be a probability, got NaN/,
  },
  'publishes less for more corruption': {
    factory: faulty(() => ({ detectionProbability: (_, bad) => (bad.rows === 0 ? 0 : 1 / bad.rows) })),
    caughtBy: probability,
    message: /detection falls from 1 to 0.5/,
  },
  'keeps a random state between plans': {
    factory: faulty((good) => {
      let calls = 0
      return { plan: (seed, shape) => good.plan(deriveSeed(seed, 'call', calls++), shape) }
    }),
    caughtBy: purity,
    message: /^rows for .*: expected/,
  },
  'does not publish a parameter that it uses': {
    factory: (parameters) => ({
      ...rows({ atLeast: 6, ...parameters }),
      parameters: { atLeast: 4, rate: 0, columns: 16 },
    }),
    caughtBy: remaking,
    message: /^rows for .*: expected/,
  },
  'changes the seed': {
    factory: faulty((good) => ({
      plan(seed, shape) {
        const plan = good.plan(seed, shape)
        seed.reverse()
        return plan
      },
    })),
    caughtBy: inputs,
    message: /^seed after planning/,
  },
  'repeats a row': {
    factory: faulty((good) => ({
      plan(seed, shape) {
        const plan = good.plan(seed, shape)
        return { ...plan, rows: Uint32Array.of(...plan.rows, shape.rows - 1) }
      },
    })),
    caughtBy: form,
    message: /expected to ascend below/,
  },
  'returns rows in the order of drawing': {
    factory: faulty((good) => ({
      plan(seed, shape) {
        const plan = good.plan(seed, shape)
        return { ...plan, rows: plan.rows.toReversed() }
      },
    })),
    caughtBy: form,
    message: /expected to ascend below/,
  },
  'counts columns from one': {
    factory: faulty((good) => ({
      plan(seed, shape) {
        const { columns, ...plan } = good.plan(seed, shape)
        return columns === undefined ? plan : { ...plan, columns: columns.map((column) => column + 1) }
      },
    })),
    caughtBy: form,
    message: /^columns for .*expected to ascend below 3/,
  },
  'plans a row of an empty product': {
    factory: faulty((good) => ({ plan: (seed, shape) => good.plan(seed, { ...shape, k: 1 }) })),
    caughtBy: empties,
    message: /k = 0.*expected 0, got/,
  },
  'claims to notice something in an empty product': {
    factory: faulty((good) => ({
      detectionProbability: (shape, bad) => (shape.n === 0 && bad.rows > 0 ? 1 : good.detectionProbability(shape, bad)),
    })),
    caughtBy: empties,
    message: /all of it corrupted: expected 0, got 1/,
  },
  'ignores parameters that it does not know': {
    factory: ({ atLeast = 4, rate = 0.001, columns = 16 }) => rows({ atLeast, rate, columns }),
    caughtBy: parameterCheck,
    message: /expected a RangeError for .*no such parameter = 1/,
  },
  'takes NaN for a rate': {
    factory: ({ rate = 0.001, ...others }) => rows({ ...others, rate: Number.isNaN(rate) ? 0 : rate }),
    caughtBy: parameterCheck,
    message: /expected a RangeError for .*rate = NaN/,
  },
}
