import type { NumericProfile } from '../../src/numerics/profile.ts'
import { profiles } from '../../src/numerics/profile.ts'
import { reproducedSum } from '../../src/numerics/reproduced.ts'
import type { HalfFormat } from '../../src/numerics/rounding.ts'
import { type Engine, engines } from './engines.ts'
import { preparedColumns, type RowProblem } from './families.ts'
import { bfloat16, float16, tf32, truncatedTf32 } from './rounding.ts'
import { halfCores, tf32Cores } from './tensor-cores.ts'

/** A profile with the operands that it takes and engines that it stands for. */
export interface ProfileCase {
  readonly name: string
  readonly profile: NumericProfile
  /** What becomes of an operand before anybody multiplies it. */
  readonly operand: (value: number) => number
  readonly roundedTo?: HalfFormat
  /** What becomes of a float32 result. */
  readonly output: (value: number) => number
  readonly engines: readonly Engine[]
}

const same = (value: number): number => value

/** An engine that rounds its operands before it multiplies them. */
function converting(convert: (value: number) => number, how: string, engine: Engine): Engine {
  return {
    name: `${engine.name}, ${how}`,
    dot(a, columns, offset) {
      return engine.dot(a.map(convert), columns.slice(offset, offset + a.length).map(convert), 0)
    },
  }
}

const half = [
  ...engines.filter(({ name }) => ['sequential', 'FMA', '16 lanes', 'split-k 7'].includes(name)),
  ...halfCores,
]

export const profileCases: readonly ProfileCase[] = [
  { name: 'float32', profile: profiles.float32, operand: same, output: same, engines },
  {
    name: 'tf32',
    profile: profiles.tf32,
    operand: same,
    output: same,
    engines: [
      ...tf32Cores.map((core) => converting(tf32, 'to nearest', core)),
      ...tf32Cores.map((core) => converting(truncatedTf32, 'truncated', core)),
      // A library may fall back to float32 where a shape does not suit the cores.
      engines[2]!,
    ],
  },
  { name: 'float16', profile: profiles.float16, operand: float16, output: same, engines: half },
  {
    name: 'float16 out',
    profile: profiles.float16,
    operand: float16,
    roundedTo: 'float16',
    output: float16,
    engines: half,
  },
  { name: 'bfloat16', profile: profiles.bfloat16, operand: bfloat16, output: same, engines: half },
  {
    name: 'bfloat16 out',
    profile: profiles.bfloat16,
    operand: bfloat16,
    roundedTo: 'bfloat16',
    output: bfloat16,
    engines: half,
  },
  {
    name: 'exact',
    profile: profiles.exact,
    operand: same,
    output: same,
    engines: [{ name: 'tfjs cpu', dot: reproducedSum }],
  },
]

/** The problem with its operands as the profile takes them. */
export function withOperands({ k, n, a, columns }: RowProblem, operand: (value: number) => number): RowProblem {
  const rounded = columns.map(operand)
  return { k, n, a: a.map(operand), columns: rounded, b: preparedColumns(rounded, k, n) }
}
