import { expect, test } from 'vitest'
import { challengeSeed, isAudited, keyCommitment, sessionId } from '../../src/commitment/challenge.ts'
import { sha256 } from '../../src/commitment/suite.ts'

const key = new Uint8Array(32).fill(1)
const head = new Uint8Array(32).fill(2)
const other = new Uint8Array(32).fill(3)
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

test('a challenge depends on the key, on what was said, and on the operation', () => {
  const seeds = [
    challengeSeed(key, head, 0),
    challengeSeed(other, head, 0),
    challengeSeed(key, other, 0),
    challengeSeed(key, head, 1),
    challengeSeed(key, head, 2 ** 32),
  ]
  expect(new Set(seeds.map(hex)).size).toBe(seeds.length)
  expect(challengeSeed(key, head, 7)).toEqual(challengeSeed(key, head, 7))
})

test('a session is that of its hello and of its policy, and of nothing that reads like them', () => {
  const a = Uint8Array.of(1, 2, 3)
  const b = Uint8Array.of(4, 5)
  const ids = [
    sessionId(sha256, [a], [b]),
    sessionId(sha256, [b], [a]),
    sessionId(sha256, [b], [b]),
    sessionId(sha256, [a], [a]),
    sessionId(sha256, [Uint8Array.of(1, 2)], [Uint8Array.of(3, 4, 5)]),
  ]
  expect(new Set(ids.map(hex)).size).toBe(ids.length)
  // The parts of a message count as joined.
  expect(sessionId(sha256, [a.subarray(0, 1), a.subarray(1)], [b])).toEqual(ids[0])
})

test('a key is committed to by its hash', () => {
  expect(hex(keyCommitment(key))).not.toBe(hex(keyCommitment(other)))
  expect(keyCommitment(key)).toHaveLength(32)
})

test.each([0.05, 0.5, 0.9])('at a rate of %d as many operations are audited, chosen by the key', (rate) => {
  const count = 4000
  const audited = (of: Uint8Array) => Array.from({ length: count }, (_, i) => isAudited(of, head, i, rate))
  const mine = audited(key)
  const share = mine.filter(Boolean).length / count
  // Five standard deviations.
  expect(Math.abs(share - rate)).toBeLessThan(5 * Math.sqrt((rate * (1 - rate)) / count))
  expect(audited(other)).not.toEqual(mine)
  expect(isAudited(key, head, 0, 1)).toBe(true)
})
