import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Heartbeat } from '../src/heartbeat.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function beating() {
  const log: string[] = []
  const peer = { receivedBytes: 0 }
  const heartbeat = new Heartbeat(1000, 5000, {
    ping: () => log.push('ping'),
    receivedBytes: () => peer.receivedBytes,
    onDead: () => log.push('dead'),
  })
  return { log, peer, heartbeat }
}

test('one ping at a time, each an interval after the last answer', () => {
  const { log, heartbeat } = beating()
  vi.advanceTimersByTime(4000)
  expect(log).toEqual(['ping'])
  heartbeat.answered()
  vi.advanceTimersByTime(999)
  expect(log).toEqual(['ping'])
  vi.advanceTimersByTime(1)
  expect(log).toEqual(['ping', 'ping'])
})

test('an unanswered ping is a dead peer, once', () => {
  const { log } = beating()
  vi.advanceTimersByTime(5999)
  expect(log).toEqual(['ping'])
  vi.advanceTimersByTime(1)
  expect(log).toEqual(['ping', 'dead'])
  vi.advanceTimersByTime(60_000)
  expect(log).toEqual(['ping', 'dead'])
})

test('64 KiB in every wait are as good as an answer, and a byte less is not', () => {
  const { log, peer } = beating()
  vi.advanceTimersByTime(1000)
  for (let i = 0; i < 5; i++) {
    peer.receivedBytes += 65_536
    vi.advanceTimersByTime(5000)
  }
  expect(log).toEqual(['ping'])
  peer.receivedBytes += 65_535
  vi.advanceTimersByTime(5000)
  expect(log).toEqual(['ping', 'dead'])
})

test('an answer to no ping changes nothing', () => {
  const { log, heartbeat } = beating()
  for (let i = 0; i < 19; i++) {
    heartbeat.answered()
    vi.advanceTimersByTime(100)
  }
  expect(log).toEqual(['ping'])
})

test('stops', () => {
  const { log, heartbeat } = beating()
  vi.advanceTimersByTime(1000)
  heartbeat.stop()
  vi.advanceTimersByTime(60_000)
  expect(log).toEqual(['ping'])
})
