import { describe, expect, it } from 'vitest'
import { activate, identityEpilogue, type NumericEpilogue } from '../../src/numerics/epilogue.ts'
import { type PreparedMatrix, prepareMatrix } from '../../src/numerics/prepared.ts'
import { type ProfileName, profiles } from '../../src/numerics/profile.ts'
import { projectMatrix } from '../../src/numerics/project.ts'
import { reproducedSum } from '../../src/numerics/reproduced.ts'
import { checkRow, type OpenedRow } from '../../src/numerics/row.ts'
import type { Testimony } from '../../src/numerics/telling.ts'
import { testRandom } from './random.ts'
import { bfloat16, float16 } from './rounding.ts'

const [k, n] = [64, 48]
const { fround } = Math
const random = testRandom(5)
/** Of 4 significant bits, which every format holds. */
const short = (length: number, scale = 1) =>
  Float32Array.from({ length }, () => (Math.round(8 * random.normal()) / 8) * scale)
const matrix = (elements: Float32Array): PreparedMatrix =>
  prepareMatrix({ bytes: new Uint8Array(elements.buffer), dtype: 'float32', k, n, transposed: true })

const b = matrix(short(k * n))
const a = Float64Array.from(short(k))
const sums = (left: Float64Array) => Float64Array.from({ length: n }, (_, j) => reproducedSum(left, b.columns, j * k))
const signs = Float64Array.from(sums(a), Math.sign)
const halves = { float16, bfloat16 }

interface Stated {
  readonly left?: Float64Array
  readonly profile?: ProfileName
  readonly epilogue?: Partial<NumericEpilogue>
  readonly addend?: Float64Array
}

/** A row as an honest engine gives it, in the order of TensorFlow.js. */
function honest({ left = a, profile = 'float32', epilogue: changes = {}, addend }: Stated): OpenedRow {
  const epilogue = { ...identityEpilogue, ...changes }
  const { bias, alpha, activation, roundedTo } = epilogue
  const c = sums(left).map((sum, j) => {
    const added = (bias?.[j] ?? 0) + (addend?.[j] ?? 0)
    const value = fround(activate(activation, j, fround(fround(alpha * sum) + added)))
    return roundedTo === undefined ? value : halves[roundedTo](value)
  })
  return { a: left, b, c, profile: profiles[profile], epilogue, ...(addend && { addend }) }
}

/** What is said of a row, which must be accepted. */
function heard(row: OpenedRow, request: Parameters<typeof checkRow>[1] = {}): Testimony {
  const { outcome, failures, testimony } = checkRow(row, request)
  expect({ outcome, failures }).toEqual({ outcome: 'accept', failures: [] })
  return testimony
}

const bias = Float64Array.from(short(n))
const times = (values: Float64Array, factor: number) => values.map((value) => fround(factor * value))
const awayFrom0 = bias.map((value) => (value < 0 ? value - 1 : value + 1))
/** Beside it a product of this B and A is a hundredth. */
const large = times(awayFrom0, 800)
const zeros = new Float64Array(k)
const at7 = zeros.with(7, 1)

describe('a row tells of its product', () => {
  it.each<[string, Stated]>([
    ['as it is', {}],
    ['beside a bias', { epilogue: { bias } }],
    ['beside a bias of a hundred times its size', { epilogue: { bias: large } }],
    ['beside an addend of a hundred times its size', { addend: large }],
    ['rectified', { epilogue: { activation: { name: 'relu' } } }],
    ['in a sigmoid', { epilogue: { activation: { name: 'sigmoid' } } }],
    ['in a hard sigmoid', { epilogue: { activation: { name: 'hardsigmoid', slope: fround(0.2), offset: 0.5 } } }],
    ['in a clip around 0', { epilogue: { activation: { name: 'clip', least: -1, most: 1 } } }],
    ['by a small factor', { epilogue: { alpha: fround(1e-20) } }],
    ['by a small factor beside a bias as small', { epilogue: { alpha: fround(1e-20), bias: times(bias, 1e-20) } }],
    ['beside a large bias in float16', { profile: 'float16', epilogue: { bias: large, roundedTo: 'float16' } }],
    ['beside a large bias in bfloat16', { profile: 'bfloat16', epilogue: { bias: large, roundedTo: 'bfloat16' } }],
    ['beside a large bias, reproduced', { profile: 'exact', epilogue: { bias: large } }],
    ['less its bias, where a rectifier is at rest', { epilogue: { bias: signs, activation: { name: 'relu' } } }],
  ])('%s', (_, stated) => {
    expect(heard(honest(stated))).toBe('telling')
  })

  it('if one recomputed entry does', () => {
    const row = honest({ left: at7, epilogue: { activation: { name: 'relu' } } })
    const entries = (...columns: number[]) => ({ entries: Uint32Array.from(columns) })
    const alive = row.c.findIndex((value) => value > 0)
    const dead = Array.from(row.c.keys()).filter((j) => row.c[j] === 0)
    expect(heard(row)).toBe('telling')
    expect(heard(row, entries(...dead))).toBe('silent')
    expect(heard(row, entries(...[...dead, alive].sort((i, j) => i - j)))).toBe('telling')
  })

  it('though every value of it is wrong', () => {
    const row = honest({})
    expect(checkRow({ ...row, c: row.c.map((value) => value + 1) })).toMatchObject({
      outcome: 'reject',
      testimony: 'telling',
    })
  })
})

describe('a row is drowned', () => {
  it('if most of its sums are lost, so that few columns have to be computed', () => {
    const small = (columns: number) => awayFrom0.map((value, j) => (j < columns ? 0 : fround(1e12 * value)))
    for (const activation of [{ name: 'linear' }, { name: 'relu' }] as const) {
      expect(heard(honest({ epilogue: { bias: small(1), activation } }))).toBe('drowned')
      expect(heard(honest({ epilogue: { bias: small(n / 2 - 1), activation } }))).toBe('drowned')
      expect(heard(honest({ epilogue: { bias: small(n / 2 + 1), activation } }))).toBe('telling')
    }
  })

  it.each<[string, Stated]>([
    ['by a factor of 0', { epilogue: { alpha: 0 } }],
    ['by a factor of 0 beside a bias', { epilogue: { alpha: 0, bias } }],
    ['by a tiny factor beside a bias', { epilogue: { alpha: fround(1e-12), bias: awayFrom0 } }],
    ['by a tiny factor beside an addend', { epilogue: { alpha: fround(1e-12) }, addend: awayFrom0 }],
    ['beside a huge bias', { epilogue: { bias: times(awayFrom0, 1e12) } }],
    ['beside a bias near the end of float32', { epilogue: { bias: times(awayFrom0, 1e30) } }],
    ['beside a huge bias, reproduced', { profile: 'exact', epilogue: { bias: times(awayFrom0, 1e12) } }],
    [
      'beside a large bias in bfloat16',
      { profile: 'bfloat16', epilogue: { bias: times(awayFrom0, 2e5), roundedTo: 'bfloat16' } },
    ],
    ['in a clip far from every sum', { epilogue: { activation: { name: 'clip', least: 1e6, most: 1e7 } } }],
    ['in a clip of one value', { epilogue: { activation: { name: 'clip', least: 0, most: 0 } } }],
    ['in a clip whose ends are crossed', { epilogue: { activation: { name: 'clip', least: 2, most: 0 } } }],
    ['in a narrow clip', { epilogue: { activation: { name: 'clip', least: 5e5, most: 5e5 + 2 ** -5 } } }],
    ['by a large offset', { epilogue: { activation: { name: 'hardsigmoid', slope: fround(0.2), offset: 60 } } }],
    ['by a tiny slope', { epilogue: { activation: { name: 'hardsigmoid', slope: fround(1e-12), offset: 0.5 } } }],
    ['by a slope of 0', { epilogue: { activation: { name: 'hardsigmoid', slope: 0, offset: 0.5 } } }],
    ['in a sigmoid of next to nothing', { epilogue: { alpha: fround(1e-12), activation: { name: 'sigmoid' } } }],
    ['in a tanh of next to nothing', { epilogue: { alpha: fround(1e-12), activation: { name: 'tanh' } } }],
    ['below a rectifier by far', { epilogue: { bias: new Float64Array(n).fill(-1e4), activation: { name: 'relu' } } }],
  ])('%s', (_, stated) => {
    expect(heard(honest(stated))).toBe('drowned')
  })
})

it('a row is drowned by a factor below the numbers that engines keep, and guarded', () => {
  const row = honest({ epilogue: { alpha: 1e-42 } })
  expect(checkRow(row)).toMatchObject({ outcome: 'guard', guard: 'cancellation', testimony: 'drowned' })
})

describe('a row is silent', () => {
  /** Sums of one sign only. */
  const negative = (): Stated => {
    const left = Float64Array.from({ length: k }, () => -1)
    return { left, epilogue: { activation: { name: 'relu' } } }
  }

  it('where A is zero, whatever is stated', () => {
    for (const epilogue of [
      {},
      { bias },
      { bias: large },
      { alpha: 0 },
      { activation: { name: 'sigmoid' } as const },
    ]) {
      expect(heard(honest({ left: zeros, epilogue }))).toBe('silent')
    }
  })

  it('where a rectifier is at rest in every entry', () => {
    const positive = matrix(Float32Array.from({ length: k * n }, () => Math.abs(random.normal()) + 0.1))
    const stated = honest(negative())
    expect(heard({ ...stated, b: positive, c: new Float64Array(n) })).toBe('silent')
    const slightly = { ...stated.epilogue, bias: new Float64Array(n).fill(-1) }
    expect(heard({ ...stated, b: positive, epilogue: slightly, c: new Float64Array(n) })).toBe('silent')
  })

  it('where nothing can be concluded of its entries', () => {
    const row = honest({ left: a.with(0, Number.POSITIVE_INFINITY) })
    expect(checkRow(row)).toMatchObject({ outcome: 'guard', testimony: 'silent' })
  })
})

describe('results of 16 bits', () => {
  it('tell where most of them are other numbers, and by as little as a spacing', () => {
    const of = (size: number) =>
      honest({
        left: zeros.with(0, size),
        profile: 'bfloat16',
        epilogue: { bias: new Float64Array(n).fill(1), roundedTo: 'bfloat16' },
      })
    // Beside 1 the numbers are 2⁻⁷ apart, below it 2⁻⁸.
    expect(heard(of(2 ** -7))).toBe('telling')
    expect(heard(of(2 ** -10))).toBe('drowned')
  })
})

describe('exact integers tell by any difference', () => {
  const whole = matrix(Float32Array.from({ length: k * n }, (_, i) => (i % 7) - 3))
  const one = zeros.with(0, 1)
  const entry = (j: number) => whole.columns[j * k]!

  it('of int32 sums', () => {
    const row = (left: Float64Array, of: (j: number) => number): OpenedRow => ({
      ...{ a: left, b: whole, profile: profiles.int32 },
      epilogue: { ...identityEpilogue, bias: new Float64Array(n).fill(2 ** 30) },
      c: Float64Array.from({ length: n }, (_, j) => 2 ** 30 + of(j)),
    })
    expect(heard(row(one, entry))).toBe('telling')
    expect(heard(row(zeros, () => 0))).toBe('silent')
  })

  describe('of 8-bit operands', () => {
    const row = (
      left: Float64Array,
      quantized: NumericEpilogue['quantized'],
      changes: Partial<NumericEpilogue>,
      c: (j: number) => number,
    ) =>
      heard({
        ...{ a: left, b: whole, profile: profiles.int8 },
        epilogue: { ...identityEpilogue, ...changes, ...(quantized && { quantized }) },
        c: Float64Array.from({ length: n }, (_, j) => c(j)),
      })
    const plain = { biasBeforeScale: true, output: 'int32', zeroPoint: 0 } as const
    const filled = (value: number) => ({ bias: new Float64Array(n).fill(value) })

    it('as int32', () => {
      expect(row(one, plain, filled(2 ** 30), (j) => 2 ** 30 + entry(j))).toBe('telling')
      expect(row(zeros, plain, filled(2 ** 30), () => 2 ** 30)).toBe('silent')
    })

    it('scaled to float32', () => {
      const scaled = { ...plain, output: 'float32' } as const
      const half = { alpha: 0.5, ...filled(6) }
      expect(row(one, scaled, half, (j) => 0.5 * (6 + entry(j)))).toBe('telling')
      expect(row(one, scaled, { alpha: 0.5, ...filled(2 ** 28) }, (j) => fround(0.5 * (2 ** 28 + entry(j))))).toBe(
        'drowned',
      )
    })

    it.each(['int8', 'uint8'] as const)('rounded to %s', (output) => {
      const rounded = { ...plain, output, zeroPoint: 9 } as const
      expect(row(one, rounded, { alpha: 1, ...filled(4) }, (j) => 13 + entry(j))).toBe('telling')
      // Half a step or less of the result, and results beyond its ends.
      expect(row(one, rounded, { alpha: 0.125 }, () => 9)).toBe('drowned')
      expect(row(one, rounded, { alpha: 1, ...filled(1000) }, () => (output === 'int8' ? 127 : 255))).toBe('drowned')
      expect(row(zeros, rounded, { alpha: 1, ...filled(4) }, () => 13)).toBe('silent')
    })
  })
})

describe('a row that vectors vouch for', () => {
  const xs = [0, 1].map(() => Float64Array.from({ length: n }, () => 2 * random.uniform() - 1))
  const none = { entries: new Uint32Array(0), vectors: projectMatrix(b, xs) }

  it('tells as a whole, where no entry was recomputed', () => {
    expect(heard(honest({}), none)).toBe('telling')
    expect(heard(honest({ epilogue: { bias: large } }), none)).toBe('telling')
  })

  it('tells where no entry that was drawn does', () => {
    const sparse = matrix(Float32Array.from({ length: k * n }, (_, i) => (i < k ? b.columns[i]! : 0)))
    const row = { ...honest({}), b: sparse, c: honest({}).c.map((value, j) => (j === 0 ? value : 0)) }
    const entries = Uint32Array.of(1, 2)
    expect(heard(row, { entries })).toBe('silent')
    expect(heard(row, { entries, vectors: projectMatrix(sparse, xs) })).toBe('telling')
  })

  it('is drowned or silent as its entries would be', () => {
    expect(heard(honest({ epilogue: { alpha: 0, bias } }), none)).toBe('drowned')
    expect(heard(honest({ epilogue: { bias: times(awayFrom0, 1e12) } }), none)).toBe('drowned')
    expect(heard(honest({ left: zeros, epilogue: { bias } }), none)).toBe('silent')
  })
})
