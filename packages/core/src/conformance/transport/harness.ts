import type { Channel, Listener, ListenOptions } from '../../transport.ts'
import { assert, assertBytes, assertEqual, assertRejects, ConformanceError } from '../assert.ts'
import type { TransportContext } from '../transport.ts'

const defaultTimeoutMs = 5000

/** Two ends of one channel, and the listener that one of them came from. */
export interface Pair {
  readonly dialed: Channel
  readonly accepted: Channel
  readonly listener: Listener
}

/** Runs `use` on a fresh pair and frees everything afterwards, whatever state it was left in. */
export async function withPair(context: TransportContext, use: (pair: Pair) => Promise<void>): Promise<void> {
  await withListener(context, async ({ listener, connect }) => {
    const [dialed, accepted] = await connect()
    await use({ dialed, accepted, listener })
  })
}

export interface Listening {
  readonly listener: Listener
  /** Dials, and waits for the listener's end of the same channel. */
  connect(): Promise<[dialed: Channel, accepted: Channel]>
  /** Every end that the listener was given. */
  readonly accepted: readonly Channel[]
}

export async function withListener(
  context: TransportContext,
  use: (listening: Listening) => Promise<void>,
  options: ListenOptions & { readonly onChannel?: (channel: Channel) => void } = {},
): Promise<void> {
  const { transport } = context
  const { onChannel, ...listenOptions } = options
  const channels: Channel[] = []
  const accepted: Channel[] = []
  const announced: ((channel: Channel) => void)[] = []
  const accept = (channel: Channel) => {
    channels.push(channel)
    accepted.push(channel)
    announced.shift()?.(channel)
    // Returned, so that a handler that rejects is seen to reject.
    return onChannel?.(channel)
  }
  const listener = await within(
    context,
    transport.listen(await context.listenAddress(), accept, listenOptions),
    'listen',
  )
  const connect = async (): Promise<[Channel, Channel]> => {
    let announce!: (channel: Channel) => void
    const other = new Promise<Channel>((resolve) => {
      announce = resolve
    })
    announced.push(announce)
    try {
      const dialed = await within(context, transport.dial(listener.address), 'dial')
      channels.push(dialed)
      return [dialed, await within(context, other, 'onChannel')]
    } catch (error) {
      announced.splice(announced.indexOf(announce), 1)
      throw error
    }
  }
  try {
    await use({ listener, connect, accepted })
  } finally {
    for (const channel of channels) channel.abort(new Error('the case is over'))
    await within(context, listener.close(), 'Listener.close')
  }
}

/** Fails after the context's `timeoutMs`, so that a transport that hangs gives a message instead of a hung run. */
export async function within<T>(context: TransportContext, promise: Promise<T>, what: string): Promise<T> {
  const { timeoutMs = defaultTimeoutMs } = context
  const outcome = await settled(promise, timeoutMs)
  if (outcome === 'pending') throw new ConformanceError(`${what} did not settle within ${timeoutMs} ms`)
  return promise
}

/** Whether `promise` is still pending after a while. */
export async function settled(promise: Promise<unknown>, ms: number): Promise<'settled' | 'pending'> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<'pending'>((resolve) => {
    timer = setTimeout(resolve, ms, 'pending')
  })
  const done = promise.then(
    () => 'settled' as const,
    () => 'settled' as const,
  )
  try {
    return await Promise.race([done, late])
  } finally {
    clearTimeout(timer)
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Retries `attempt` until it does not reject, for what the other side learns of with a delay. */
export async function eventually<T>(context: TransportContext, attempt: () => Promise<T>): Promise<T> {
  const end = Date.now() + (context.timeoutMs ?? defaultTimeoutMs)
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (Date.now() > end) throw error
      await pause(10)
    }
  }
}

/** The receiving half of a channel, read one message at a time. */
export class Inbound {
  readonly #context: TransportContext
  readonly #iterator: AsyncIterator<Uint8Array>

  constructor(context: TransportContext, channel: Channel) {
    this.#context = context
    this.#iterator = channel[Symbol.asyncIterator]()
  }

  async next(what = 'the next message'): Promise<Uint8Array> {
    const { done, value } = await within(this.#context, this.#iterator.next(), what)
    assert(done !== true, `${what}: the iteration ended instead`)
    return value
  }

  async expect(messages: Iterable<Uint8Array>): Promise<void> {
    let i = 0
    for (const message of messages) {
      assertBytes(await this.next(`message ${i}`), message, `message ${i}`)
      i += 1
    }
  }

  async expectEnd(): Promise<void> {
    const { done, value } = await within(this.#context, this.#iterator.next(), 'the end of the iteration')
    assert(done === true, `expected the end of the iteration, got a message of ${value?.byteLength} bytes`)
  }

  /** Reads on until the iteration throws, which it must; clean ends and endless waits fail. */
  async expectLost(): Promise<void> {
    await assertRejects(this.#untilEnd(), 'channel-lost', 'the iteration')
  }

  async expectError(error: Error): Promise<void> {
    const reason = await this.#untilEnd().catch((thrown: unknown) => thrown)
    assertEqual(reason, error, 'what the iteration throws')
  }

  async #untilEnd(): Promise<string> {
    for (;;) {
      const { done } = await within(this.#context, this.#iterator.next(), 'the end of the iteration')
      if (done) return 'a clean end'
    }
  }
}

/** Bytes that differ from message to message and from position to position. */
export function pattern(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = (seed * 2654435761 + 1) >>> 0
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

/** Sends one after the other. The promise may be dropped when the case fails first. */
export function sendAll(channel: Channel, messages: Iterable<Uint8Array>): Promise<void> {
  const sending = (async () => {
    for (const message of messages) await channel.send([message])
  })()
  sending.catch(() => {})
  return sending
}

/** How long a send stays pending before it counts as held back. Too short only makes a case weaker. */
const quietMs = 250

/** The message that {@link fill} sends again and again. */
export function fillMessage(channel: Channel): Uint8Array {
  return pattern(Math.min(256 * 1024, channel.maxMessageBytes), 42)
}

/** Sends to a peer that does not read until a send stays pending. It counts as sent, and is returned as `blocked`. */
export async function fill(
  context: TransportContext,
  channel: Channel,
): Promise<{ sent: number; blocked: Promise<void> }> {
  const { maxInFlightBytes = 64 * 2 ** 20 } = context
  const message = fillMessage(channel)
  for (let sent = 1; sent * message.byteLength <= maxInFlightBytes; sent++) {
    const blocked = channel.send([message])
    if ((await settled(blocked, quietMs)) === 'pending') return { sent, blocked }
    await blocked
  }
  throw new ConformanceError(`send went on for ${maxInFlightBytes} bytes to a peer that does not read`)
}
