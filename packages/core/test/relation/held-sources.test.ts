import { beforeEach, describe, expect, test } from 'vitest'
import type { Manifest } from '../../src/manifest/manifest.ts'
import { HeldSources } from '../../src/prover/held-sources.ts'
import type { Snapshot } from '../../src/prover/snapshots.ts'
import { productOf } from './records.ts'

const product = {
  kind: 'product',
  operation: 'MatMul',
  layout: { kind: 'matmul', k: 5, n: 5 },
  b: null,
  alpha: 1,
  activation: { name: 'linear' },
  profile: 'float32',
  links: {},
} as const
const follows = (operation: number) => ({
  ...product,
  relations: {
    a: [
      { op: 'tensor' as const, operation, tensor: 'c' as const },
      { op: 'exp' as const, x: 0 },
    ],
  },
})
/** The second and the third operation follow from the first, the last from the third. */
const manifest: Manifest = {
  format: 'tensor-assay-manifest',
  version: 1,
  operations: [product, follows(0), follows(0), follows(2)],
}

const snapshot = (): Snapshot => ({ ready: new Promise(() => undefined) })
const opened = { a: Uint32Array.of(0, 2), c: Uint32Array.of(0, 2) }
const seed = new Uint8Array(32)

let kept: Map<Snapshot, number>
let held: HeldSources
let sequences: number
beforeEach(() => {
  kept = new Map()
  sequences = 0
  held = new HeldSources({
    manifest,
    retain: (snapshot) => kept.set(snapshot, (kept.get(snapshot) ?? 0) + 1),
    release: (snapshot) => kept.set(snapshot, (kept.get(snapshot) ?? 0) - 1),
  })
})

/** Runs the next operation of a step. */
function run(step: number) {
  const sequence = sequences++
  const snapshots = { a: snapshot(), c: snapshot() }
  held.recorded(step, sequence, snapshots)
  const record = productOf({ sequence, m: 3, k: 5, n: 5, a: 10 * sequence, c: 10 * sequence + 1 })
  held.stated(record)
  return { record, snapshots, needed: () => held.needed(record, opened, seed), done: () => held.done(sequence) }
}

const uses = ({ snapshots }: ReturnType<typeof run>) => Object.values(snapshots).map((taken) => kept.get(taken) ?? 0)

describe('tensors of a step', () => {
  test('are kept until the last operation that follows from them is done', () => {
    const [first, second, third, last] = [run(0), run(0), run(0), run(0)]
    expect([uses(first), uses(second), uses(third), uses(last)]).toEqual([
      [1, 1],
      [0, 0],
      [1, 1],
      [0, 0],
    ])
    first.done()
    second.done()
    expect(uses(first)).toEqual([1, 1])
    third.done()
    expect(uses(first)).toEqual([0, 0])
    expect(uses(third)).toEqual([1, 1])
    last.done()
    expect(uses(third)).toEqual([0, 0])
  })

  test('are shown row by row as they are needed', () => {
    const [first, second] = [run(0), run(0)]
    expect(first.needed()).toEqual([])
    expect(second.needed()).toEqual([{ snapshot: first.snapshots.c, rows: Uint32Array.of(0, 2) }])
  })

  test('of several steps at once are not mixed up', () => {
    const [one, other] = [run(0), run(1)]
    const [ofOther, ofOne] = [run(1), run(0)]
    expect(ofOther.needed()).toMatchObject([{ snapshot: other.snapshots.c }])
    expect(ofOne.needed()).toMatchObject([{ snapshot: one.snapshots.c }])
  })

  test('are let go step by step, the oldest first, where memory is needed', () => {
    const [old, young] = [run(0), run(1)]
    expect(held.dropOldest()).toBe(true)
    expect([uses(old), uses(young)]).toEqual([
      [0, 0],
      [1, 1],
    ])
    const [ofOld, ofYoung] = [run(0), run(1)]
    expect(ofOld.needed()).toEqual([])
    expect(ofYoung.needed()).toHaveLength(1)
    expect([held.dropOldest(), held.dropOldest()]).toEqual([true, false])
    ofOld.done()
    ofYoung.done()
    expect([uses(old), uses(young)]).toEqual([
      [0, 0],
      [0, 0],
    ])
  })
})

test('a run that is not the one of the manifest is shown nothing of', () => {
  held.recorded(0, sequences++, {})
  expect(run(0).needed()).toEqual([])
  for (let i = 0; i < 3; i++) run(0)
  expect(run(0).needed()).toEqual([])
})
