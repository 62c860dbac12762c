import { describe, expect, it } from 'vitest'
import { checkEntry, type EntryCheck, emulatedTolerance, entryResult } from '../../src/numerics/entry.ts'
import { identityEpilogue, type NumericEpilogue } from '../../src/numerics/epilogue.ts'
import { profiles } from '../../src/numerics/profile.ts'
import { maxFloat32 } from '../../src/numerics/tolerance.ts'
import { engines } from './engines.ts'
import { allPositive, gaussian, preparedColumns, type RowProblem, stagnating } from './families.ts'
import { testRandom } from './random.ts'

const u = 2 ** -24
const sequential = engines[0]!

function checkOf({ a, b }: Pick<RowProblem, 'a' | 'b'>, epilogue: Partial<NumericEpilogue> = {}): EntryCheck {
  return { a, b, profile: profiles.float32, epilogue: { ...identityEpilogue, ...epilogue } }
}

function judge(check: EntryCheck, claimed: number, column = 0) {
  const result = entryResult()
  checkEntry(check, column, claimed, result)
  return result
}

/** a·b for k = b.length, with the operands as given. */
function single(a: number[], b: number[], epilogue: Partial<NumericEpilogue> = {}): EntryCheck {
  const columns = Float32Array.from(b)
  return checkOf({ a: Float64Array.from(a, Math.fround), b: preparedColumns(columns, b.length, 1) }, epilogue)
}

function sums({ a, columns, k }: RowProblem, column = 0) {
  let c = 0
  let s1 = 0
  let s2 = 0
  for (let t = 0; t < k; t++) {
    const p = a[t]! * columns[column * k + t]!
    c += p
    s1 += Math.abs(p)
    s2 += p * p
  }
  return { c, s1, s2, nu: u * Math.sqrt(k) * Math.sqrt(s2 + c * c) }
}

describe('the tolerance 4ν', () => {
  it('is 4·u·√k·√(s₂² + c²) on either side, and the ratio counts in ν', () => {
    const problem = gaussian.make(testRandom(1), 1000, 1)
    const { c, nu } = sums(problem)
    for (const sign of [1, -1]) {
      const inside = judge(checkOf(problem), c + sign * 3.999 * nu)
      expect(inside).toMatchObject({ outcome: 'accept', escalated: false })
      expect(inside.ratio).toBeCloseTo(3.999, 3)
      expect(inside.bound / nu).toBeCloseTo(4, 6)
      expect(judge(checkOf(problem), c + sign * 4.001 * nu).escalated).toBe(true)
    }
  })

  it('counts |c|: a sum of one sign loses more than its s₂', () => {
    const problem = allPositive.make(testRandom(2), 4096, 1)
    const { c, s2, nu } = sums(problem)
    // Without |c| the tolerance would be below a thirtieth of this.
    expect(Math.sqrt(s2)).toBeLessThan(c / 30)
    expect(judge(checkOf(problem), c + 3.9 * nu)).toMatchObject({ outcome: 'accept', escalated: false })
  })

  it('counts s₂: a sum that cancels loses more than its |c|', () => {
    const check = single([1, 1, 1, 1], [1e6, -1e6, 1.5e6, -1.5e6])
    const { outcome, bound } = judge(check, 0.05)
    expect(outcome).toBe('accept')
    expect(bound).toBeGreaterThan(0.1)
  })

  it('covers the one rounding of k = 1', () => {
    const { uniform } = testRandom(3)
    let largest = 0
    for (let i = 0; i < 5000; i++) {
      const check = single([1 + uniform()], [1 + uniform()])
      const honest = Math.fround(check.a[0]! * check.b.columns[0]!)
      const result = judge(check, honest)
      if (result.outcome !== 'accept') throw new Error(`rejected ${honest}`)
      largest = Math.max(largest, result.ratio)
    }
    expect(largest).toBeGreaterThan(0.65)
    expect(largest).toBeLessThanOrEqual(Math.SQRT1_2 + 1e-6)
  })

  it('takes −0 for 0', () => {
    expect(judge(single([0, 0], [1, 2]), -0).outcome).toBe('accept')
    expect(judge(single([1, 1], [1, -1]), -0).outcome).toBe('accept')
  })
})

describe('the hard bound', () => {
  it('rejects whatever no order of summation can give', () => {
    const problem = stagnating.make(testRandom(4), 300, 1)
    const { c, s1 } = sums(problem)
    const gamma = (300 * u) / (1 - 300 * u)
    const hard = gamma * s1 + u * Math.abs(c)
    for (const sign of [1, -1]) {
      expect(judge(checkOf(problem), c + sign * 1.001 * hard)).toMatchObject({
        outcome: 'reject',
        reason: 'hard-bound',
      })
    }
  })

  it('counts Σ|p|, of which s₂ and |c| are a small part', () => {
    const problem = gaussian.make(testRandom(41), 300, 1)
    const { c, s1, s2 } = sums(problem)
    expect(s1).toBeGreaterThan(5 * Math.max(Math.sqrt(s2), Math.abs(c)))
    const hard = ((300 * u) / (1 - 300 * u)) * s1 + u * Math.abs(c)
    expect(judge(checkOf(problem), c + 0.999 * hard)).toMatchObject({ outcome: 'reject', reason: 'tolerance' })
    expect(judge(checkOf(problem), c + 1.001 * hard)).toMatchObject({ outcome: 'reject', reason: 'hard-bound' })
  })

  it('does not cap the tolerance of a short sum of both signs', () => {
    // s₂ = √20, c = 4 and Σ|p| = 20: the cap would be 93u for an s₁ as small as s₂, and is 404u.
    const ones = new Array<number>(20).fill(1)
    const check = single(
      ones,
      ones.map((_, t) => (t < 12 ? 1 : -1)),
    )
    expect(judge(check, 4 + 105 * u)).toMatchObject({ outcome: 'accept', escalated: false })
  })

  it('caps the tolerance where k is small', () => {
    // 4ν would allow 4·√2·u·|c| = 5.6u.
    const value = Math.fround(1.1) * Math.fround(1.3)
    const check = single([1.1], [1.3])
    expect(judge(check, value * (1 + 2.1 * u))).toMatchObject({ outcome: 'reject', reason: 'hard-bound' })
    expect(judge(check, value * (1 + 1.9 * u)).outcome).toBe('accept')
  })
})

describe('escalation', () => {
  it('accepts what stagnation does to an honest sum', () => {
    const problem = stagnating.make(testRandom(5), 4096, 1)
    const honest = sequential.dot(problem.a, problem.columns, 0)
    const result = judge(checkOf(problem), honest)
    expect(result).toMatchObject({ outcome: 'accept', escalated: true })
    expect(result.ratio).toBeGreaterThan(10)
  })

  it('rejects more than 8 times the largest emulated error', () => {
    const problem = gaussian.make(testRandom(6), 4096, 1)
    const { c } = sums(problem)
    const emulated = emulatedTolerance(checkOf(problem), 0, 8) / 8
    for (const sign of [1, -1]) {
      const beyond = judge(checkOf(problem), c + sign * Math.max(8.01 * emulated, 1e-4))
      expect(beyond).toMatchObject({ outcome: 'reject', reason: 'tolerance', escalated: true })
      expect(beyond.bound).toBeCloseTo(8 * emulated, 8)
    }
  })

  it('rejects any error above 4ν where every order is exact', () => {
    const ones = new Array<number>(64).fill(1)
    const check = single(ones, ones)
    expect(judge(check, 64)).toMatchObject({ outcome: 'accept', escalated: false })
    expect(judge(check, 64 + 2.1e-4)).toMatchObject({ outcome: 'reject', reason: 'tolerance' })
  })

  it('knows engines that start the sum with the bias', () => {
    const { uniform } = testRandom(7)
    const k = 4096
    const columns = Float32Array.from({ length: k }, () => 0.4 * 2 ** -24 * (0.9 + 0.1 * uniform()))
    const a = new Float64Array(k).fill(1)
    const check = checkOf({ a, b: preparedColumns(columns, k, 1) }, { bias: Float64Array.of(1) })
    // Every product is lost in the bias.
    const result = judge(check, 1)
    expect(result).toMatchObject({ outcome: 'accept', escalated: true })
  })
})

describe('values that are not numbers', () => {
  const problem = gaussian.make(testRandom(8), 100, 1)

  it('rejects NaN and infinities where the operands are finite', () => {
    for (const claimed of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const result = judge(checkOf(problem), claimed)
      expect(result).toMatchObject({ outcome: 'reject', reason: 'non-finite' })
      expect(Number.isFinite(result.ratio)).toBe(true)
    }
  })

  it('rejects them behind an activation too', () => {
    for (const name of ['relu', 'relu6', 'elu', 'sigmoid'] as const) {
      const result = judge(checkOf(problem, { activation: { name } }), Number.NaN)
      expect(result).toMatchObject({ outcome: 'reject', reason: 'non-finite' })
    }
  })

  it('says nothing of operands that are not finite, whatever is claimed', () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      for (const claimed of [0, 3, Number.NaN, bad]) {
        const guarded = { outcome: 'guard', reason: 'operand-not-finite' }
        expect(judge(single([1, bad], [1, 2]), claimed)).toMatchObject(guarded)
        expect(judge(single([1, 1], [1, bad]), claimed)).toMatchObject(guarded)
        expect(judge(single([1, 1], [1, 2], { bias: Float64Array.of(bad) }), claimed)).toMatchObject(guarded)
      }
    }
  })

  it('says nothing where an honest sum may overflow on its way', () => {
    const big = 3e38
    for (const claimed of [0, big, Number.POSITIVE_INFINITY, Number.NaN]) {
      // The sum is finite, a partial sum may not be.
      expect(judge(single([1, 1, 1], [big, big, -big]), claimed)).toMatchObject({
        outcome: 'guard',
        reason: 'overflow',
      })
    }
    expect(judge(single([1, 1], [big, big], { alpha: 1e-3 }), 6e35)).toMatchObject({ outcome: 'guard' })
    const steep = { activation: { name: 'leakyrelu', slope: 1e6 } } as const
    expect(judge(single([1], [-1e35], steep), Number.NEGATIVE_INFINITY)).toMatchObject({ outcome: 'guard' })
    const zeros = new Array<number>(15).fill(0)
    expect(judge(single([1, ...zeros], [1e38, ...zeros]), Math.fround(1e38))).toMatchObject({ outcome: 'accept' })
    expect(judge(single([1], [maxFloat32 / 2]), maxFloat32 / 2)).toMatchObject({ outcome: 'accept' })
    expect(judge(single([1], [maxFloat32 / 2]), Number.POSITIVE_INFINITY)).toMatchObject({ outcome: 'reject' })
  })
})

describe('what an emulated engine is allowed', () => {
  it('includes the rounding of a factor and of a bias, where the sum itself is exact', () => {
    const ones = new Array<number>(8).fill(1)
    const alpha = Math.fround(0.7)
    const bias = Float64Array.of(Math.fround(0.3))
    expect(emulatedTolerance(single(ones, ones), 0, 1)).toBe(0)
    expect(emulatedTolerance(single(ones, ones, { alpha }), 0, 1)).toBeGreaterThanOrEqual(u * 8 * alpha)
    expect(emulatedTolerance(single(ones, ones, { bias }), 0, 1)).toBeGreaterThanOrEqual(u * 8.3)
    const both = emulatedTolerance(single(ones, ones, { alpha, bias }), 0, 1)
    expect(both).toBeGreaterThanOrEqual(u * (8 * alpha + (8 * alpha + 0.3)))
  })

  it('includes the conversion of operands, which may be the same for every positive term', () => {
    const k = 256
    const columns = Float32Array.from({ length: k }, (_, t) => (t % 2 === 0 ? 1 : -1))
    const a = Float64Array.from({ length: k }, (_, t) => Math.fround(t % 2 === 0 ? 1 + 0.9 * 2 ** -10 : 1))
    const row = { a, b: preparedColumns(columns, k, 1), epilogue: identityEpilogue }
    // Cut to 10 bits of fraction, every term is 1 or −1.
    expect(judge({ ...row, profile: profiles.tf32 }, 0)).toMatchObject({ outcome: 'accept', escalated: true })
    expect(judge({ ...row, profile: profiles.tf32 }, -0.1).outcome).toBe('reject')
    expect(judge({ ...row, profile: profiles.float32 }, 0).outcome).toBe('reject')
  })
})

describe('underflow', () => {
  it('accepts products that were flushed to zero', () => {
    const tiny = 2 ** -70
    const check = single([tiny, tiny, 2 ** -60], [tiny, tiny, 2 ** -60])
    expect(judge(check, 2 ** -120).outcome).toBe('accept')
  })

  it('accepts subnormal operands that were taken for zero', () => {
    const check = single([2 ** -127, 1], [2 ** 100, 2 ** -40])
    expect(judge(check, 2 ** -40).outcome).toBe('accept')
    expect(judge(check, 2 ** -27 + 2 ** -40).outcome).toBe('accept')
    expect(judge(check, 2 ** -25).outcome).toBe('reject')
  })

  it('allows nothing where every product is 0', () => {
    const check = single([0, 0, 0], [1, 2, 3])
    expect(judge(check, 0)).toMatchObject({ outcome: 'accept', bound: 0, tolerance: 0 })
    expect(judge(check, 2 ** -149).outcome).toBe('reject')
  })
})

describe('the epilogue', () => {
  const problem = gaussian.make(testRandom(9), 257, 3)
  const { fround } = Math

  it('scales by alpha before it adds the bias of the column', () => {
    const bias = Float64Array.of(7, fround(0.3), -2)
    const alpha = fround(0.125)
    for (let j = 0; j < 3; j++) {
      const honest = fround(fround(alpha * sequential.dot(problem.a, problem.columns, j * 257)) + bias[j]!)
      const check = checkOf(problem, { alpha, bias })
      expect(judge(check, honest, j)).toMatchObject({ outcome: 'accept', escalated: false })
      expect(judge(check, honest - bias[j]!, j).outcome).toBe('reject')
      expect(judge(check, honest + 0.01, j).outcome).toBe('reject')
    }
    const shared = checkOf(problem, { alpha, bias: Float64Array.of(7) })
    const last = fround(fround(alpha * sequential.dot(problem.a, problem.columns, 2 * 257)) + 7)
    expect(judge(shared, last, 2).outcome).toBe('accept')
  })

  it('compares after the activation', () => {
    const check = single([1, 1], [-1, -0.5], { activation: { name: 'relu' } })
    expect(judge(check, 0)).toMatchObject({ outcome: 'accept', informative: false, recomputed: 0 })
    expect(judge(check, -1.5).outcome).toBe('reject')
    expect(judge(check, 1e-30).outcome).toBe('reject')
    const clipped = single([1, 1], [5, 4], { activation: { name: 'relu6' } })
    expect(judge(clipped, 6).outcome).toBe('accept')
    expect(judge(clipped, 9).outcome).toBe('reject')
  })

  it('notices a claim that skipped the activation, or took another', () => {
    const x = -0.75
    const names = ['linear', 'relu', 'elu', 'sigmoid'] as const
    const value = { linear: x, relu: 0, elu: Math.expm1(x), sigmoid: 1 / (1 + Math.exp(-x)) }
    for (const declared of names) {
      for (const used of names) {
        const { outcome } = judge(single([1], [x], { activation: { name: declared } }), fround(value[used]))
        expect(`${declared} as ${used}: ${outcome}`).toBe(
          `${declared} as ${used}: ${declared === used ? 'accept' : 'reject'}`,
        )
      }
    }
  })
})

describe('dishonest values of one entry', () => {
  const problem = gaussian.make(testRandom(10), 512, 1)
  const { c } = sums(problem)
  const honest = sequential.dot(problem.a, problem.columns, 0)

  it('rejects a flipped sign, zero, a neighbour and a relative error of 10⁻⁴', () => {
    expect(judge(checkOf(problem), honest).outcome).toBe('accept')
    for (const claimed of [-honest, 0, honest + 1, honest * (1 + 1e-4), honest * (1 - 1e-4), c * 2]) {
      expect(judge(checkOf(problem), claimed).outcome).toBe('reject')
    }
  })

  it('rejects dropped terms', () => {
    const shorter = problem.a.map((value, t) => (t < 500 ? value : 0))
    expect(judge(checkOf(problem), sequential.dot(shorter, problem.columns, 0)).outcome).toBe('reject')
  })
})
