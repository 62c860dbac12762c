import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { patientlyAwait } from '../src/patience.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const later = <T>(ms: number, value: T) => new Promise<T>((resolve) => setTimeout(() => resolve(value), ms))

describe('waiting for a prover', () => {
  test('ends with what it says, and how long it took', async () => {
    const waiting = patientlyAwait(later(2500, 'here'), 10_000, undefined)
    await vi.advanceTimersByTimeAsync(2500)
    expect(await waiting).toEqual({ isLate: false, value: 'here', waitedMs: 2500 })
  })

  test('takes no time where it was said before', async () => {
    expect(await patientlyAwait(Promise.resolve('here'), 0, undefined)).toEqual({
      isLate: false,
      value: 'here',
      waitedMs: 0,
    })
  })

  test('ends when it is late, and not before', async () => {
    let end: unknown
    const noted = patientlyAwait(new Promise(() => {}), 2500, undefined).then((waited) => {
      end = waited
    })
    await vi.advanceTimersByTimeAsync(2499)
    expect(end).toBeUndefined()
    await vi.advanceTimersByTimeAsync(2)
    await noted
    expect(end).toEqual({ isLate: true })
  })

  test('does not count how long this process was busy', async () => {
    let now = 0
    vi.spyOn(performance, 'now').mockImplementation(() => now)
    // Both timers are due at once, as they are after a minute in which nothing was heard.
    const waiting = patientlyAwait(later(1000, 'here'), 5000, undefined)
    now = 60_000
    await vi.advanceTimersByTimeAsync(1000)
    expect(await waiting).toEqual({ isLate: false, value: 'here', waitedMs: 1000 })
  })

  test('leaves what came during the last piece a turn to be read', async () => {
    const waiting = patientlyAwait(
      later(1000, 0).then(() => later(0, 'here')),
      1000,
      undefined,
    )
    await vi.advanceTimersByTimeAsync(1001)
    expect(await waiting).toMatchObject({ isLate: false, waitedMs: 1000 })
  })

  test('is given up when the caller says so, and leaves no timer', async () => {
    const stop = new AbortController()
    const waiting = patientlyAwait(new Promise(() => {}), 10_000, stop.signal)
    stop.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' })
    await expect(patientlyAwait(new Promise(() => {}), 1, stop.signal)).rejects.toMatchObject({ code: 'aborted' })
    expect(vi.getTimerCount()).toBe(0)
  })

  test('fails as the channel fails', async () => {
    await expect(patientlyAwait(Promise.reject(new RangeError('gone')), 1, undefined)).rejects.toThrow('gone')
    expect(vi.getTimerCount()).toBe(0)
  })
})
