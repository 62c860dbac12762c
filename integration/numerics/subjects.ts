import { identityEpilogue } from '../../packages/core/src/numerics/epilogue.ts'
import { profiles } from '../../packages/core/src/numerics/profile.ts'
import { reproducedSum } from '../../packages/core/src/numerics/reproduced.ts'
import { type TensorCore, tensorCoreSum, tensorCores } from '../../packages/core/src/numerics/tensor-core.ts'
import { engines } from '../../packages/core/test/numerics/engines.ts'
import type { TestRandom } from '../../packages/core/test/numerics/random.ts'
import { bfloat16, float16, tf32 } from '../../packages/core/test/numerics/rounding.ts'
import type { Subject } from './simulate.ts'

const same = (value: number): number => value
const sequential = engines.find(({ name }) => name === 'sequential')!.dot

function core(name: string): TensorCore {
  return tensorCores.find((candidate) => candidate.name === name)!
}

const float = new Float32Array(1)
const bits = new Uint32Array(float.buffer)

/** Flips one of the `count` upper bits of a float32, until the value is a number. */
function flipUpper(count: number): Subject['flipBit'] {
  return (value, { below }) => {
    for (;;) {
      float[0] = value
      bits[0]! ^= 2 ** (31 - below(count))
      if (Number.isFinite(float[0]!)) return float[0]!
    }
  }
}

/** Flips the sign or a bit of the fraction of a float16; flips of the exponent are too easy to be of interest. */
function flipFloat16(value: number, { below }: TestRandom): number {
  const bit = below(11)
  if (bit === 10) return -value
  const step = 2 ** (Math.max(-14, Math.floor(Math.log2(Math.abs(value) || 2 ** -14))) - 10)
  const fraction = Math.round(Math.abs(value) / step)
  return Math.sign(value) * (fraction ^ (2 ** bit)) * step
}

const float32 = { operand: same, output: same, epilogue: identityEpilogue, flipBit: flipUpper(32) }
const half = {
  float16: { operand: float16, flipBit: flipFloat16 },
  bfloat16: { operand: bfloat16, flipBit: flipUpper(16) },
}
const a100 = core('A100')
const a100Tf32 = core('A100, TF32')

function convertedDot(a: Float64Array, columns: Float32Array, offset: number): number {
  return tensorCoreSum(a100Tf32, a.map(tf32), columns.subarray(offset, offset + a.length).map(tf32), 0)
}

export const subjects: readonly Subject[] = [
  { ...float32, name: 'float32', profile: profiles.float32, engine: 'sequential float32', dot: sequential },
  {
    ...float32,
    name: 'tf32',
    profile: profiles.tf32,
    engine: 'A100 tensor core, operands to nearest',
    dot: convertedDot,
  },
  ...(['float16', 'bfloat16'] as const).flatMap((name): Subject[] => {
    const dot = (a: Float64Array, columns: Float32Array, offset: number) => tensorCoreSum(a100, a, columns, offset)
    const subject = { ...half[name], profile: profiles[name], engine: 'A100 tensor core', dot }
    return [
      { ...subject, ...float32, operand: half[name].operand, name: `${name}, float32 results` },
      {
        ...subject,
        name: `${name}, ${name} results`,
        output: half[name].operand,
        epilogue: { ...identityEpilogue, roundedTo: name },
      },
    ]
  }),
  {
    name: 'int8, int32 results',
    profile: profiles.int8,
    engine: 'exact',
    operand: (value) => Math.max(-128, Math.min(127, Math.round(40 * value))),
    dot(a, columns, offset) {
      let sum = 0
      for (let t = 0; t < a.length; t++) sum += a[t]! * columns[offset + t]!
      return sum
    },
    output: Math.round,
    epilogue: { ...identityEpilogue, quantized: { biasBeforeScale: true, output: 'int32', zeroPoint: 0 } },
    flipBit: (value, { below }) => value ^ (1 << below(32)),
  },
  { ...float32, name: 'exact', profile: profiles.exact, engine: 'TensorFlow.js cpu, emulated', dot: reproducedSum },
]
