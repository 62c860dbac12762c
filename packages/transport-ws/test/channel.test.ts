import type { Message } from '@tensor-assay/core'
import { expect, test } from 'vitest'
import { LinkChannel } from '../src/channel.ts'
import type { Link, LinkEvents } from '../src/link.ts'

const never = Number.POSITIVE_INFINITY
const limits = {
  maxMessageBytes: 1000,
  maxBufferedBytes: 2000,
  windowBytes: 1000,
  idleTimeoutMs: never,
  closeTimeoutMs: never,
}

/** A link that records what a channel does with it. */
class Recorder implements Link {
  readonly log: unknown[] = []
  receivedBytes = 0
  backlogBytes = 0
  events!: LinkEvents
  attach(events: LinkEvents) {
    this.events = events
  }
  sendMessage(message: Message, onTaken: () => void) {
    this.log.push(message)
    onTaken()
  }
  sendText(text: string) {
    this.log.push(text)
  }
  end(code: number) {
    this.log.push(`end ${code}`)
  }
  refuse(code: number) {
    this.log.push(`refuse ${code}`)
  }
  destroy() {
    this.log.push('destroy')
  }
}

function recorded(changes: Partial<typeof limits> = {}) {
  const link = new Recorder()
  return { link, channel: new LinkChannel(link, 'ws://peer:1', { ...limits, ...changes }) }
}

test('the parts of a message are handed on as they are', async () => {
  const { link, channel } = recorded()
  const parts = [new Uint8Array(100), new Uint8Array(0), new Uint8Array(500).subarray(7)]
  await channel.send(parts)
  const [message] = link.log as [Message]
  expect(message).toHaveLength(3)
  message.forEach((part, i) => {
    expect(part).toBe(parts[i])
  })
})

test('a message is the list of parts that it was when it was sent', async () => {
  const { link, channel } = recorded()
  const parts = [new Uint8Array(900)]
  void channel.send(parts)
  const waiting = channel.send(parts)
  parts.push(new Uint8Array(2000))
  link.events.text('credit 1156')
  link.events.text('credit 1156')
  await waiting
  expect(link.log.map((message) => (message as Message).length)).toEqual([1, 1])
})

test('abort drops what was not read', async () => {
  const { link, channel } = recorded()
  link.events.message(new Uint8Array(100))
  const reason = new Error('enough')
  channel.abort(reason)
  await expect(channel[Symbol.asyncIterator]().next()).rejects.toBe(reason)
})

test('what cannot be a message is a TypeError', async () => {
  const { channel } = recorded()
  for (const wrong of [new Uint8Array(3), 'text', ['text'], [new ArrayBuffer(3)], undefined]) {
    await expect(channel.send(wrong as never)).rejects.toThrow(TypeError)
  }
})

test('a close is two goodbyes and a close frame of the peer, in either order', async () => {
  for (const first of ['ours', 'theirs']) {
    const { link, channel } = recorded()
    if (first === 'theirs') link.events.text('goodbye')
    let closed = false
    const closing = channel.close().then(() => {
      closed = true
    })
    if (first === 'ours') link.events.text('goodbye')
    expect(link.log).toEqual(['goodbye', 'end 1000'])
    await undefined
    expect(closed).toBe(false)
    link.events.closed({ code: 1000, reason: '', cause: undefined })
    await closing
    await expect(channel.send([])).rejects.toMatchObject({ code: 'channel-closed' })
  }
})

test.each([
  ['no close frame', 1006],
  ['another code', 1001],
])('two goodbyes and %s were not confirmed', async (_, code) => {
  const { link, channel } = recorded()
  link.events.text('goodbye')
  const closing = channel.close()
  link.events.closed({ code, reason: '', cause: undefined })
  await closing
  await expect(channel.send([])).rejects.toMatchObject({ code: 'channel-lost' })
})

test('no line follows what ended the channel', () => {
  const { link, channel } = recorded()
  channel.abort(new Error('enough'))
  link.events.message(new Uint8Array(900))
  link.events.text('credit 1')
  link.events.text('nonsense')
  expect(link.log).toEqual(['destroy'])
})

test('a peer that sends without reading is ended before lines pile up', async () => {
  const { link, channel } = recorded()
  const iterator = channel[Symbol.asyncIterator]()
  const take = async () => {
    link.events.message(new Uint8Array(300))
    await iterator.next()
  }
  // The window and one message more may wait, and 64 KiB of lines.
  link.backlogBytes = 1000 + 1000 + 64 * 1024
  await take()
  expect(link.log).toEqual(['credit 556'])
  link.backlogBytes += 1
  await take()
  expect(link.log).toEqual(['credit 556', 'destroy'])
  await expect(channel.send([])).rejects.toMatchObject({ code: 'frame-malformed', message: /without reading/ })
})

test('no credit is given after the goodbye of the peer', () => {
  const { link } = recorded()
  link.events.message(new Uint8Array(100))
  link.events.text('goodbye')
  link.events.text('credit 1')
  expect(link.log).toEqual(['refuse 1002'])
})
