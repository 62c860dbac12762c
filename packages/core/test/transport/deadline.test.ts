import { setImmediate, setTimeout } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Deadline } from '../../src/transport/deadline.ts'

test('expires once, unless stopped or started over', async () => {
  const log: string[] = []
  const deadline = new Deadline(30, () => log.push('kept')).start()
  const stopped = new Deadline(10, () => log.push('stopped')).start()
  const never = new Deadline(Number.POSITIVE_INFINITY, () => log.push('never')).start()
  stopped.stop()
  expect([deadline.running, stopped.running, never.running]).toEqual([true, false, false])
  await vi.waitFor(() => expect(log).toEqual(['kept']))
  await setTimeout(40)
  expect(log).toEqual(['kept'])
})

test('starting over moves the expiry', () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  let expired = false
  const deadline = new Deadline(100, () => {
    expired = true
  }).start()
  for (let i = 0; i < 5; i++) {
    vi.advanceTimersByTime(60)
    deadline.start()
  }
  vi.advanceTimersByTime(99)
  expect([expired, deadline.running]).toEqual([false, true])
  vi.advanceTimersByTime(1)
  expect([expired, deadline.running]).toEqual([true, false])
})

test('time in which this process was blocked does not count', async () => {
  let expired = false
  const deadline = new Deadline(20, () => {
    expired = true
  }).start()
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400)
  await setImmediate()
  await setImmediate()
  expect([expired, deadline.running]).toEqual([false, true])
  await vi.waitFor(() => expect(expired).toBe(true))
})
