import { expect, test } from 'vitest'
import { bufferPool } from '../../src/prover/buffer-pool.ts'

test('hands the same memory out again, also if it comes back as another object', () => {
  const pool = bufferPool(1024)
  const first = pool.acquire(100)
  const returned = structuredClone(first, { transfer: [first.buffer as ArrayBuffer] })
  pool.release(returned)
  const second = pool.acquire(97)
  expect(second.length).toBe(97)
  expect(second.buffer).toBe(returned.buffer)
  expect(pool.acquire(97).buffer).not.toBe(second.buffer)
})

test('keeps no memory that it did not hand out, nor more than it may', () => {
  const pool = bufferPool(256)
  const foreign = new Uint8Array(128)
  pool.release(foreign)
  expect(pool.acquire(128).buffer).not.toBe(foreign.buffer)

  const taken = [pool.acquire(128), pool.acquire(128)]
  const third = pool.acquire(128)
  for (const bytes of [...taken, third]) pool.release(bytes)
  const again = [pool.acquire(128), pool.acquire(128), pool.acquire(128)].map(({ buffer }) => buffer)
  expect(again).toContain(taken[0]!.buffer)
  expect(again).not.toContain(third.buffer)
})
