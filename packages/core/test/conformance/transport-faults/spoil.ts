import type { AbortOptions, Channel, Message, Transport } from '../../../src/transport.ts'

/** Spoils a good transport. */
export type Fault = (good: Transport) => Transport

export interface PlantedFault {
  readonly fault: Fault
  /** The case that must fail, and what it must say. */
  readonly caughtBy: string
  readonly message: RegExp
}

export const never = new Promise<never>(() => {})

export function changed(channel: Channel, changes: Partial<Channel>): Channel {
  const whole = {
    peer: channel.peer,
    maxMessageBytes: channel.maxMessageBytes,
    send: (message: Message) => channel.send(message),
    close: (options?: AbortOptions) => channel.close(options),
    abort: (error: Error) => channel.abort(error),
    [Symbol.asyncIterator]: () => channel[Symbol.asyncIterator](),
    ...changes,
  }
  // Like every transport, a spoilt one does not crash a process over a send that nobody awaits.
  return { ...whole, send: (message) => quiet(whole.send(message)) }
}

export function channels(change: (channel: Channel) => Partial<Channel>): Fault {
  const spoil = (channel: Channel) => changed(channel, change(channel))
  return (good) => ({
    ...good,
    dial: async (address, options) => spoil(await good.dial(address, options)),
    listen: (address, onChannel, options) => good.listen(address, (channel) => onChannel(spoil(channel)), options),
  })
}

export function iterations(change: (iterator: AsyncIterator<Uint8Array>) => AsyncIterator<Uint8Array>): Fault {
  return channels((channel) => ({ [Symbol.asyncIterator]: () => change(channel[Symbol.asyncIterator]()) }))
}

/** Changes what is received; `memory` is one buffer for the whole channel. */
export function received(change: (memory: ArrayBuffer, message: Uint8Array) => Uint8Array): Fault {
  return iterations(async function* (iterator) {
    const memory = new ArrayBuffer(2 ** 18)
    for (let step = await iterator.next(); !step.done; step = await iterator.next()) yield change(memory, step.value)
  })
}

function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

type Listen = Transport['listen']

export function listeners(change: (good: Transport, ...args: Parameters<Listen>) => ReturnType<Listen>): Fault {
  return (good) => ({ ...good, listen: (...args) => change(good, ...args) })
}

export function listen(good: Transport, ...args: Parameters<Listen>): ReturnType<Listen> {
  return good.listen(...args)
}

export function joined(message: Message): Uint8Array {
  const bytes = new Uint8Array(message.reduce((sum, part) => sum + part.byteLength, 0))
  let offset = 0
  for (const part of message) {
    bytes.set(part, offset)
    offset += part.byteLength
  }
  return bytes
}
