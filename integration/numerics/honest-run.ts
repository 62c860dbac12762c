import { type DataFamily, dataFamilies } from '../../packages/core/src/numerics/calibration/families.ts'
import { identityEpilogue, type NumericEpilogue } from '../../packages/core/src/numerics/epilogue.ts'
import { type NumericProfile, profiles } from '../../packages/core/src/numerics/profile.ts'
import { projectMatrix } from '../../packages/core/src/numerics/project.ts'
import { reproducedSum } from '../../packages/core/src/numerics/reproduced.ts'
import { checkRow, type OpenedRow } from '../../packages/core/src/numerics/row.ts'
import { type TensorCore, tensorCoreSum, tensorCores } from '../../packages/core/src/numerics/tensor-core.ts'
import { judgeTogether } from '../../packages/core/src/numerics/together.ts'
import { engines as float32Engines } from '../../packages/core/test/numerics/engines.ts'
import { preparedColumns } from '../../packages/core/test/numerics/families.ts'
import { testRandom } from '../../packages/core/test/numerics/random.ts'
import { bfloat16, float16, tf32, truncatedTf32 } from '../../packages/core/test/numerics/rounding.ts'
import { onnxEngine, type RealEngine, tfjsEngine } from './engines.ts'

/** An honest engine: a library, or one that is emulated. */
export interface HonestEngine {
  readonly name: string
  readonly profile: NumericProfile
  readonly epilogue: NumericEpilogue
  /** What becomes of operands before they are opened. */
  readonly operand: (value: number) => number
  /** How many times as long as a library it takes: it is given so many times fewer rows. */
  readonly slowness: number
  /** Rows of C, shape [m, n]. */
  multiply(product: HonestProduct): Promise<Float32Array>
}

interface HonestProduct {
  readonly m: number
  readonly k: number
  readonly n: number
  readonly a: Float32Array
  /** B as its columns, shape [n, k]. */
  readonly columns: Float32Array
}

/** What was found so far of one engine. */
export interface HonestCount {
  entries: number
  /** Rows of which nothing could be said: data that cancels. */
  inconclusive: number
  escalated: number
  /** Rows that were also checked by vectors, and those of which a vector had the whole row recomputed. */
  projected: number
  tripped: number
  largestRatio: number
  rejected: number
}

export interface Batch {
  readonly engine: HonestEngine
  readonly family: DataFamily
  readonly m: number
  readonly k: number
  readonly n: number
  readonly seed: number
}

/** Most entries where sums have some hundred terms; of very short and very long ones fewer. */
const shapes = [
  [1, 160, 160],
  [2, 160, 160],
  [3, 160, 160],
  [5, 160, 160],
  [16, 384, 384],
  [64, 512, 700],
  [250, 512, 512],
  [1000, 128, 128],
  [4096, 48, 64],
  [16384, 8, 32],
] as const

const same = (value: number): number => value

function library(engine: RealEngine, profile: NumericProfile = profiles.float32): HonestEngine {
  return {
    name: engine.name,
    profile,
    epilogue: identityEpilogue,
    operand: same,
    slowness: 1,
    multiply({ m, k, n, a, columns }) {
      const data = new Float32Array(k * n)
      for (let j = 0; j < n; j++) for (let t = 0; t < k; t++) data[t * n + j] = columns[j * k + t]!
      return engine.multiply({ rows: m, cols: k, data: a }, { rows: k, cols: n, data })
    },
  }
}

type Dot = (a: Float64Array, columns: Float32Array, offset: number) => number

function emulated(
  name: string,
  profile: NumericProfile,
  dot: Dot,
  { operand = same, converted = same, roundedTo, slowness = 1 }: EmulationOptions = {},
): HonestEngine {
  const output = roundedTo === undefined ? same : roundedTo === 'float16' ? float16 : bfloat16
  return {
    name: `${name}, emulated`,
    profile,
    epilogue: { ...identityEpilogue, ...(roundedTo === undefined ? {} : { roundedTo }) },
    operand,
    slowness,
    async multiply({ m, k, n, a, columns }) {
      const left = Float64Array.from(a, converted)
      const right = converted === same ? columns : columns.map(converted)
      const c = new Float32Array(m * n)
      for (let i = 0; i < m; i++) {
        const row = left.subarray(i * k, (i + 1) * k)
        for (let j = 0; j < n; j++) c[i * n + j] = output(dot(row, right, j * k))
      }
      return c
    },
  }
}

interface EmulationOptions {
  readonly operand?: (value: number) => number
  readonly converted?: (value: number) => number
  readonly roundedTo?: 'float16' | 'bfloat16'
  readonly slowness?: number
}

function onCore(name: string): Dot {
  const core = tensorCores.find((candidate) => candidate.name === name) as TensorCore
  return (a, columns, offset) => tensorCoreSum(core, a, columns, offset)
}

export function honestEngines(): readonly HonestEngine[] {
  const { float32, tf32: tf32Profile, float16: half, bfloat16: brain, exact } = profiles
  const named = (name: string) => float32Engines.find((engine) => engine.name === name)!.dot
  return [
    library(tfjsEngine('wasm')),
    library(onnxEngine()),
    library(tfjsEngine('cpu')),
    ...['sequential', 'FMA', 'pairwise', '8 lanes', '16 lanes', 'split-k 7'].map((name) =>
      emulated(name, float32, named(name)),
    ),
    emulated('A100 TF32, to nearest', tf32Profile, onCore('A100, TF32'), { converted: tf32, slowness: 8 }),
    emulated('A100 TF32, cut', tf32Profile, onCore('A100, TF32'), { converted: truncatedTf32, slowness: 8 }),
    emulated('V100 float16', half, onCore('V100'), { operand: float16, slowness: 8 }),
    emulated('A100 float16 to float16', half, onCore('A100'), { operand: float16, roundedTo: 'float16', slowness: 8 }),
    emulated('CPU bfloat16', brain, named('sequential'), { operand: bfloat16 }),
    emulated('H100 bfloat16 to bfloat16', brain, onCore('H100'), {
      operand: bfloat16,
      roundedTo: 'bfloat16',
      slowness: 8,
    }),
    { ...library(tfjsEngine('cpu'), exact), name: 'TensorFlow.js cpu, reproduced' },
    emulated('TensorFlow.js cpu', exact, reproducedSum),
  ]
}

/** The `index`-th batch: engines in turn, then kinds of data, then sizes. `scale` divides the rows of each product. */
export function batchAt(engines: readonly HonestEngine[], index: number, scale = 1): Batch {
  const engine = engines[index % engines.length]!
  const family = dataFamilies[Math.floor(index / engines.length) % dataFamilies.length]!
  const round = Math.floor(index / (engines.length * dataFamilies.length))
  const [k, m, n] = shapes[round % shapes.length]!
  // Escalation costs a hundred times as much as acceptance.
  const rows = Math.max(1, Math.ceil(m / scale / engine.slowness / (family.structured ? 8 : 1)))
  return { engine, family, m: rows, k, n, seed: index + 1 }
}

/** Runs one product and checks every entry of it, all of them together, and one row in 16 as the default policy does. */
export async function runBatch({ engine, family, m, k, n, seed }: Batch, count: HonestCount): Promise<string[]> {
  const random = testRandom(seed)
  const made = family.make(random, m, k, n)
  const a = made.a.map(engine.operand)
  const columns = made.columns.map(engine.operand)
  const c = await engine.multiply({ m, k, n, a, columns })
  const b = preparedColumns(columns, k, n)
  const { profile, epilogue } = engine
  const xs = [0, 1].map(() => Float64Array.from({ length: n }, () => 2 * random.uniform() - 1))
  const vectors = projectMatrix(b, xs)
  const failures: string[] = []
  const fail = (what: string) => failures.push(`${engine.name}, ${family.name}, ${m}×${k}×${n}, seed ${seed}: ${what}`)

  const judged = Array.from({ length: m }, (_, i) => {
    const opened: OpenedRow = {
      a: Float64Array.from(a.subarray(i * k, (i + 1) * k)),
      b,
      c: Float64Array.from(c.subarray(i * n, (i + 1) * n)),
      profile,
      epilogue,
    }
    const result = checkRow(opened)
    count.entries += result.entries
    count.escalated += result.escalations
    count.largestRatio = Math.max(count.largestRatio, result.largestRatio)
    if (result.guard !== undefined) count.inconclusive++
    for (const failure of result.failures) fail(`row ${i}: ${JSON.stringify(failure)}`)
    if (i % 16 === 0 && n > 128) {
      const entries = Uint32Array.from({ length: 64 }, (_, e) => e * Math.floor(n / 64))
      const sampled = checkRow(opened, { entries, smallest: 64, vectors })
      count.projected++
      if (sampled.entries === n) count.tripped++
      if (sampled.outcome === 'reject') fail(`row ${i}, sampled: ${JSON.stringify(sampled.failures[0])}`)
    }
    return { ...result, opened }
  })
  const together = judgeTogether(judged)
  if (together !== undefined) fail(`together: ${JSON.stringify(together.failure)}`)
  count.rejected += failures.length
  return failures
}

export function noCount(): HonestCount {
  return { entries: 0, inconclusive: 0, escalated: 0, projected: 0, tripped: 0, largestRatio: 0, rejected: 0 }
}
