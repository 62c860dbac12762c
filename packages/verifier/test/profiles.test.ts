import { hexToBytes } from '@noble/hashes/utils.js'
import { type DType, type ProductRecord, type ProfileName, profiles } from '@tensor-assay/core'
import { describe, expect, it } from 'vitest'
import { checkOpenedRows } from '../src/check.ts'
import { interactive, type Policy } from '../src/policy.ts'
import { preparedWeights } from '../src/prepared-weights.ts'
import { Projections } from '../src/projections.ts'
import { recordProblem } from '../src/record-problem.ts'
import { memoryWeights } from '../src/weights/memory.ts'

const [m, k, n] = [6, 64, 96]
const bits = new Float32Array(1)
const words = new Uint32Array(bits.buffer)

/** The upper half of a float32, rounded to nearest. */
function bfloat16Bits(value: number): number {
  bits[0] = value
  return (words[0]! + 0x7fff + ((words[0]! >>> 16) & 1)) >>> 16
}

function fromBits(half: number): number {
  words[0] = half << 16
  return bits[0]!
}

const wave = (i: number) => Math.sin(1.7 * i * i + i) + 0.2 * Math.cos(i)
const a = Uint16Array.from({ length: m * k }, (_, i) => bfloat16Bits(wave(i)))
const b = Uint16Array.from({ length: k * n }, (_, i) => bfloat16Bits(wave(3 * i + 1) / 8))
const store = memoryWeights([{ name: 'b', shape: [k, n], data: b, dtype: 'bfloat16' }])
const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)

const record: ProductRecord = {
  kind: 'product',
  sequence: 0,
  step: 0,
  operation: 'MatMul',
  layout: { kind: 'matmul', m, k, n, aBatch: [], bBatch: [] },
  a: 0,
  b: { kind: 'weight', digest: hexToBytes(store.weights[0]!.digest), transposed: false },
  c: 1,
  alpha: 1,
  activation: { name: 'linear' },
  profile: 'bfloat16',
}

/** Σ a·b in float32 and in order, with weights as `weight` makes them. */
function multiply(weight: (value: number) => number = (value) => value): Float32Array {
  return Float32Array.from({ length: m * n }, (_, i) => {
    let sum = 0
    for (let t = 0; t < k; t++) {
      sum = Math.fround(sum + fromBits(a[Math.floor(i / n) * k + t]!) * weight(fromBits(b[t * n + (i % n)]!)))
    }
    return sum
  })
}

async function check(c: Uint16Array | Float32Array) {
  const policy = interactive({ profiles: ['bfloat16'] })
  const dtype: DType = c instanceof Float32Array ? 'float32' : 'bfloat16'
  const rows = Uint32Array.from({ length: m }, (_, i) => i)
  const tensor = { indices: rows, rows: m }
  const opened = {
    plan: { rows },
    a: { tensor: 0, cols: k, dtype: 'bfloat16', bytes: bytesOf(a), ...tensor },
    c: { tensor: 1, cols: n, dtype, bytes: bytesOf(c), ...tensor },
  } as const
  expect(recordProblem(record, { a: opened.a, b: undefined, c: opened.c }, policy, store)).toBeUndefined()
  const weights = await preparedWeights(store).of(record, dtype)
  const seed = new Uint8Array(32)
  return checkOpenedRows({ record, opened, seed, vectorSeed: seed, projections: new Projections(), policy, weights })
}

describe('a product of bfloat16', () => {
  it('passes with results of bfloat16 and of float32', async () => {
    expect(await check(Uint16Array.from(multiply(), bfloat16Bits))).toMatchObject({ rows: m, findings: [] })
    expect(await check(multiply())).toMatchObject({ rows: m, findings: [] })
  })

  it('recomputes the smallest results of 16 bits besides the drawn ones', async () => {
    const half = await check(Uint16Array.from(multiply(), bfloat16Bits))
    const full = await check(multiply())
    expect(full.entries).toBe(64 * m)
    expect(half.entries).toBeGreaterThan(64 * m)
    expect(half.entries).toBeLessThanOrEqual((64 + 5) * m)
  })

  it('fails with weights of 8 bits', async () => {
    const int8 = (value: number) => (Math.round((value * 127) / 0.15) * 0.15) / 127
    for (const c of [Uint16Array.from(multiply(int8), bfloat16Bits), multiply(int8)]) {
      const { findings } = await check(c)
      expect(findings.map(({ reason }) => reason)).toContain('value-out-of-tolerance')
    }
  })
})

describe('the arithmetic that a prover declares', () => {
  const shape = (rows: number, cols: number, dtype: DType) => ({ tensor: 0, rows, cols, dtype })
  const problemOf = (profile: ProfileName, policy: Policy, operand: DType, result: DType) =>
    recordProblem(
      { ...record, profile },
      { a: shape(m, k, operand), b: undefined, c: shape(m, n, result) },
      policy,
      memoryWeights([{ name: 'b', shape: [k, n], data: new Uint8Array(k * n * 8), dtype: 'float64' }]),
    )?.reason

  it('is refused unless the policy names it, and the default names only float32 and integers', () => {
    for (const profile of Object.keys(profiles) as ProfileName[]) {
      const isDefault = ['float32', 'int32', 'int8'].includes(profile)
      const operand = profile === 'float16' ? 'float16' : 'float32'
      expect(problemOf(profile, interactive(), operand, 'float32') === 'profile-refused').toBe(!isDefault)
    }
  })

  it('fits the element types of A and C', () => {
    const all = interactive({ profiles: Object.keys(profiles) as ProfileName[] })
    const fits = [
      ['float32', 'float32', 'float32'],
      ['tf32', 'float32', 'float32'],
      ['exact', 'float32', 'float32'],
      ['float16', 'float16', 'float16'],
      ['float16', 'float16', 'float32'],
      ['bfloat16', 'bfloat16', 'bfloat16'],
      ['bfloat16', 'bfloat16', 'float32'],
    ] as const
    // The weight of this store is none of these, and is looked at last.
    for (const [profile, operand, result] of fits)
      expect(problemOf(profile, all, operand, result)).toBe('weight-unknown')
    const clashes = [
      ['float32', 'bfloat16', 'float32'],
      ['tf32', 'float32', 'bfloat16'],
      ['exact', 'float32', 'float16'],
      ['float16', 'float16', 'bfloat16'],
      ['bfloat16', 'float16', 'bfloat16'],
      ['bfloat16', 'float32', 'float32'],
    ] as const
    for (const [profile, operand, result] of clashes) {
      expect(problemOf(profile, all, operand, result)).toBe('record-malformed')
    }
  })
})
