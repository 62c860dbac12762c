import { afterAll, describe, expect, test } from 'vitest'
import { damage } from '../src/damage.ts'
import { kindOf } from '../src/findings.ts'
import { judge } from '../src/judge.ts'
import { installMeter } from '../src/meter.ts'
import { randomOf } from '../src/random.ts'
import { revalue } from '../src/revalue.ts'
import { promised, type Target } from '../src/target.ts'

const meter = installMeter()
afterAll(() => meter.remove())

/** A decoder with a fault that the fuzzer must see. */
function faulty(check: Target['check']): Target {
  return { name: 'faulty', maxInputBytes: 64, allowedBytes: (length) => 100 + length, seeds: () => [], check }
}
const judged = (check: Target['check']) => judge(faulty(check), new Uint8Array(8), meter)

describe('a decoder is found out that', () => {
  test.each<[string, Target['check'], RegExp]>([
    [
      'throws what is not documented',
      () => {
        throw new RangeError('beyond the end')
      },
      /not a documented error: RangeError: beyond the end/,
    ],
    ['rejects with what is not documented', () => Promise.reject(new Error('later')), /not a documented error/],
    [
      'breaks a promise',
      () => {
        promised(false, 'two encodings')
        return true
      },
      /two encodings/,
    ],
    ['asks for more memory than is allowed', () => new Float64Array(14).length > 0, /asks for 112 bytes, where 108/],
    ['asks for it in an array of numbers', () => Uint16Array.from(new Array(60).fill(1)).length > 0, /asks for/],
    ['asks for it by copies', () => [0, 1, 2].map(() => new Uint8Array(40).slice()).length > 0, /asks for/],
    ['asks for it from Buffer', () => Buffer.alloc(109).length > 0, /asks for 109 bytes/],
    [
      'hides that it was refused memory',
      () => {
        try {
          return new Uint8Array(2 ** 40).length > 0
        } catch {
          return false
        }
      },
      /asks for 1099511627776 bytes/,
    ],
  ])('%s', async (_, check, problem) => {
    expect((await judged(check)).problem).toMatch(problem)
  })

  test('and one that does none of this is not', async () => {
    expect(await judged((input) => input.subarray(1).length === 7)).toEqual({ accepted: true })
    expect(await judged(async () => new Uint8Array(108).length === 0)).toEqual({ accepted: false })
    // A view of memory that is there asks for none.
    expect(await judged((input) => new Uint8Array(input.buffer).length > 0)).toEqual({ accepted: true })
  })
})

test('damage is reproducible, stays within its bound and leaves its input alone', () => {
  const input = Uint8Array.from({ length: 40 }, (_, i) => i)
  const limits = { maxInputBytes: 64, tokens: [Uint8Array.of(9, 9, 9)] }
  const made = (seed: number) => damage(input, [Uint8Array.of(7, 7)], limits, randomOf(seed))
  const results = Array.from({ length: 500 }, (_, seed) => made(seed))
  expect(results).toEqual(Array.from({ length: 500 }, (_, seed) => made(seed)))
  expect(Math.max(...results.map(({ length }) => length))).toBeLessThanOrEqual(64)
  expect(new Set(results.map((bytes) => Buffer.from(bytes).toString('hex'))).size).toBeGreaterThan(400)
  expect(input).toEqual(Uint8Array.from({ length: 40 }, (_, i) => i))
  expect(() => damage(new Uint8Array(0), [], limits, randomOf(1))).not.toThrow()
})

test('revaluing changes a copy, anywhere in it', () => {
  const value = { a: [1, { b: 'text', c: new Uint8Array(4) }], d: null, e: true }
  const before = JSON.stringify(value)
  const changed = Array.from({ length: 400 }, (_, seed) => JSON.stringify(revalue(value, randomOf(seed))))
  expect(JSON.stringify(value)).toBe(before)
  expect(changed.filter((one) => one !== before).length).toBeGreaterThan(350)
  expect(changed.some((one) => one.includes('"b":"text"') && !one.includes('"a":[1,'))).toBe(true)
})

test('problems that differ only in numbers are one kind', () => {
  expect(kindOf('asks for 12 bytes\n at x')).toBe(kindOf('asks for 99 bytes\n at x'))
  expect(kindOf('asks for 12 bytes\n at x')).not.toBe(kindOf('asks for 12 bytes\n at y'))
})
