import { createServer } from 'node:http'
import { Duplex } from 'node:stream'
import { AssayError, type AssayErrorCode, type Channel } from '@tensor-assay/core'
import { ws } from '@tensor-assay/transport-ws'
import { greet } from '../../../packages/transport-ws/src/greeting.ts'
import type { Link, LinkEvents } from '../../../packages/transport-ws/src/link.ts'
import { subprotocol, tokenProtocol } from '../../../packages/transport-ws/src/wire.ts'
import { join } from '../damage.ts'
import { promised, sameBytes, type Target } from '../target.ts'

const utf8 = new TextEncoder()
const maxMessageBytes = 512
const limits = {
  maxMessageBytes,
  maxBufferedBytes: 4096,
  idleTimeoutMs: Number.POSITIVE_INFINITY,
  closeTimeoutMs: 1000,
}
const endings: readonly AssayErrorCode[] = ['frame-malformed', 'message-too-large', 'channel-lost', 'aborted']

/** What a WebSocket may tell: kind 0 is text, 1 a binary message, 2 a close frame, each behind its length (u16). */
const event = (kind: number, content: Uint8Array | string) => {
  const bytes = typeof content === 'string' ? utf8.encode(content) : content
  return join(Uint8Array.of(kind, bytes.length & 255, bytes.length >> 8), bytes)
}

function* eventsOf(input: Uint8Array): Generator<{ kind: number; content: Uint8Array }> {
  for (let offset = 0; offset + 3 <= input.length; ) {
    const end = offset + 3 + input[offset + 1]! + 256 * input[offset + 2]!
    yield { kind: input[offset]! % 3, content: input.subarray(offset + 3, end) }
    offset = end
  }
}

/** A WebSocket whose other end is the input. */
class ScriptedLink implements Link {
  receivedBytes = 0
  readonly backlogBytes = 0
  events: LinkEvents | undefined
  isEnded = false

  attach(events: LinkEvents): void {
    this.events = events
  }
  sendMessage(_message: unknown, onTaken: () => void): void {
    onTaken()
  }
  sendText(): void {}
  end(): void {
    this.isEnded = true
  }
  refuse(): void {
    this.isEnded = true
  }
  destroy(): void {
    this.isEnded = true
  }
}

/** Lines and messages over a WebSocket: what is delivered was sent, in its order, and within the limits. */
export const wsMessages: Target = {
  name: 'ws-messages',
  maxInputBytes: 4096,
  allowedBytes: (length) => 65_536 + 8 * length,
  isWhole: false,
  tokens: ['hello 512 1024', 'hello 0 1', 'hello 9999999999 1', 'credit 1', 'credit 999999999999999', 'goodbye'].map(
    (line) => event(0, line),
  ),
  seeds: () => [
    join(event(0, 'hello 256 4096'), event(1, new Uint8Array(256)), event(0, 'goodbye')),
    join(event(0, 'hello 4096 999'), event(1, new Uint8Array(0)), event(0, 'goodbye'), event(2, '')),
  ],
  async check(input) {
    const link = new ScriptedLink()
    const greeting = greet(link, 'peer', limits)
    greeting.catch(() => undefined)
    const sent: Uint8Array[] = []
    for (const { kind, content } of eventsOf(input)) {
      if (link.isEnded) break
      link.receivedBytes += content.length
      if (kind === 0) link.events?.text(new TextDecoder('latin1').decode(content.subarray(0, 64)))
      else if (kind === 1) {
        sent.push(content)
        link.events?.message(content.slice())
      } else break
    }
    link.events?.closed({ code: 1000, reason: '', cause: undefined })
    try {
      const received = await all(await greeting)
      promised(received.length <= sent.length, 'more messages arrive than were sent')
      for (const [i, message] of received.entries()) {
        promised(message.length <= maxMessageBytes, 'a message is over the limit')
        promised(sameBytes(message, sent[i]!), 'another message arrives than was sent')
      }
      return true
    } catch (error) {
      if (AssayError.isInstance(error) && endings.includes(error.code)) return false
      throw error
    }
  },
}

async function all(channel: Channel): Promise<Uint8Array[]> {
  const messages: Uint8Array[] = []
  for await (const message of channel) messages.push(message)
  return messages
}

const token = 'sesame'
const page = 'https://app.example'
const errors: Error[] = []
const transport = ws({
  token,
  origins: [page],
  maxMessageBytes,
  maxBufferedBytes: 4096,
  onError: (e) => errors.push(e),
})
let server: ReturnType<typeof createServer> | undefined
/** Only one input is looked at at a time. */
let opened: Channel | undefined

async function listening(): Promise<ReturnType<typeof createServer>> {
  if (server !== undefined) return server
  server = createServer((_, response) => response.end())
  await transport.listen('ws://127.0.0.1:1/audit', (channel) => (opened = channel), { server })
  return server
}

/** A connection on which the input arrives, and nothing after it. */
class Connection extends Duplex {
  answer = ''
  setTimeout(): this {
    return this
  }
  setKeepAlive(): this {
    return this
  }
  setNoDelay(): this {
    return this
  }
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.answer += chunk.toString('latin1')
    done()
  }
}

const request = (...lines: readonly string[]) =>
  utf8.encode(
    ['GET /audit HTTP/1.1', 'Host: a', 'Connection: Upgrade', 'Upgrade: websocket', ...lines, '', ''].join('\r\n'),
  )
const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
const version = 'Sec-WebSocket-Version: 13'
const protocol = `Sec-WebSocket-Protocol: ${subprotocol}`
/** A masked frame, FIN set. */
const frame = (opcode: number, content: string) =>
  join(Uint8Array.of(0x80 | opcode, 0x80 | content.length, 0, 0, 0, 0), utf8.encode(content))

/** Requests to open a WebSocket, and the frames behind them: nobody is let in without the token, or from another page. */
export const wsUpgrade: Target = {
  name: 'ws-upgrade',
  maxInputBytes: 2048,
  // Of Node's own streams and of `ws`, for each connection.
  allowedBytes: (length) => 2 ** 18 + 64 * length,
  isWhole: false,
  tokens: [
    ...['Origin: https://evil.example', `Origin: ${page}`, protocol, key, version, 'Transfer-Encoding: chunked'].map(
      (line) => utf8.encode(`${line}\r\n`),
    ),
    ...['\r\n', '\r\n\r\n', ',', `${tokenProtocol('sesam')}`, 'Bearer ', '\0', '//audit', '?'].map((part) =>
      utf8.encode(part),
    ),
    frame(1, 'hello 512 1024'),
    frame(8, ''),
    frame(9, 'ping'),
    Uint8Array.of(0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0),
  ],
  seeds: () => [
    request(`Authorization: Bearer ${token}`, key, version, protocol),
    join(
      request(`Origin: ${page}`, key, version, `${protocol}, ${tokenProtocol(token)}`),
      frame(1, 'hello 512 1024'),
      frame(2, 'message'),
      frame(1, 'goodbye'),
      frame(8, ''),
    ),
  ],
  async check(input) {
    const before = opened
    const connection = new Connection()
    const closed = new Promise((resolve) => connection.once('close', resolve))
    const http = await listening()
    http.emit('connection', connection)
    connection.push(input.slice())
    connection.push(null)
    await Promise.race([closed, turns(8)])
    connection.destroy()
    await closed
    const isIn = connection.answer.startsWith('HTTP/1.1 101 ')
    if (isIn) {
      const head = Buffer.from(input)
        .toString('latin1')
        .split(/\r?\n\r?\n/)[0]!
      promised(head.includes(token) || head.includes(tokenProtocol(token)), 'it is let in without the token')
      promised(head.includes('/audit') && head.includes(subprotocol), 'it is let in without having asked for it')
      const origin = /^origin:[ \t]*(.*?)[ \t]*$/im.exec(head)?.[1]
      promised(origin === undefined || origin === page, 'it is let in from another page')
    } else promised(opened === before, 'there is a channel of a request that was refused')
    errors.length = 0
    return isIn
  },
}

/** So many rounds of the event loop, in which whatever can happen happens. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}
