import {
  type Control,
  commitTensor,
  leafRowsOf,
  openRows,
  rowsToOpen,
  type SamplingPlan,
  sha256,
} from '@tensor-assay/core'
import { describe, expect, test } from 'vitest'
import type { DeclaredTensor } from '../src/accounts.ts'
import { layOpening, unboundTensor } from '../src/lay-opening.ts'
import type { OpenedProduct } from '../src/opened.ts'
import { a, productOf, record } from './support/hand-prover.ts'

const session = new Uint8Array(32).fill(1)
const product = record(0)
const plan: SamplingPlan = { rows: Uint32Array.of(1, 7) }
const [left, right] = [a, productOf(a)].map((matrix, tensor) => {
  const leafRows = leafRowsOf(matrix)
  const committed = commitTensor(sha256, { session, tensor, matrix, leafRows, saltKey: new Uint8Array(32) })
  const { rows, cols, dtype } = matrix
  const declared: DeclaredTensor = { tensor, rows, cols, dtype, root: committed.root }
  return { declared, ...openRows(matrix, committed, rowsToOpen(plan.rows, matrix)) }
})
const tensors = [left!.declared, right!.declared]
const segments = [left!.bytes, right!.bytes]
const proofs: Control<'opening'> = { sequence: 0, a: left!.opening, c: right!.opening }
const tensorAt = (number: number) => tensors[number]

const lay = (bytes: readonly Uint8Array[]) => layOpening(product, plan, bytes, tensorAt)

describe('an opening is laid out', () => {
  test('if its segments have the one size that they must have', () => {
    expect(lay(segments)).toMatchObject({ a: { tensor: 0, cols: 4 }, c: { tensor: 1, cols: 5 } })
  })

  test.each<[string, readonly Uint8Array[]]>([
    ['a byte of A is missing', [left!.bytes.subarray(1), right!.bytes]],
    ['a byte of C is missing', [left!.bytes, right!.bytes.subarray(1)]],
    ['C has a byte more', [left!.bytes, new Uint8Array(right!.bytes.length + 1)]],
    ['C is missing', [left!.bytes]],
    ['there is a segment more', [...segments, new Uint8Array(0)]],
    ['there is nothing', []],
  ])('and not if %s', (_, bytes) => {
    expect(lay(bytes)).toMatch(/^it must hold/)
  })

  test('and where nothing is committed to, by the rows alone', () => {
    const bare = (number: number) => {
      const { root: _, ...shape } = tensors[number]!
      return shape
    }
    const rows = [new Uint8Array(2 * 16), new Uint8Array(2 * 20)]
    expect(layOpening(product, plan, rows, bare)).toMatchObject({ a: { indices: plan.rows } })
    expect(layOpening(product, plan, segments, bare)).toMatch(/^it must hold 2 rows of A in 32 bytes/)
  })
})

describe('a tensor is bound', () => {
  const opened = lay(segments) as OpenedProduct
  const unbound = (changes: Partial<Control<'opening'>> = {}, parts: Partial<OpenedProduct> = {}, at = tensorAt) =>
    unboundTensor(sha256, session, { ...opened, ...parts }, { ...proofs, ...changes } as Control<'opening'>, at)

  test('by the proof of its rows', () => {
    expect(unbound()).toBeUndefined()
    expect(unbound({ c: { ...proofs.c, salts: proofs.a.salts.map((byte) => byte ^ 1) } })).toBe('c')
  })

  test.each(['b', 'addend'] as const)('by no proof of a %s that was not opened', (name) => {
    expect(unbound({ [name]: proofs.a })).toBe(name)
  })

  test.each(['b', 'addend'] as const)('by a proof, where a %s was opened', (name) => {
    expect(unbound({}, { [name]: opened.a })).toBe(name)
    expect(unbound({ [name]: proofs.a }, { [name]: opened.a })).toBeUndefined()
  })

  test('by nothing where there is no root', () => {
    const rootless = (number: number) => (number === 1 ? { ...tensors[1]!, root: undefined as never } : tensors[number])
    expect(unbound({}, {}, rootless)).toBe('c')
    expect(unbound({}, {}, () => undefined as never)).toBe('a')
  })
})
