import { AssayError } from '../errors.ts'
import type { Channel, DialOptions, Listener, ListenOptions, Transport } from '../transport.ts'
import { MemoryChannel } from './memory-channel.ts'

export interface MemoryTransportOptions {
  /** Longest message, bytes. Default 64 MiB. */
  readonly maxMessageBytes?: number
  /** Bytes that wait for a reader before the sender has to wait as well, in each direction. Default 1 MiB. */
  readonly maxBufferedBytes?: number
  /** How long `close` waits for the peer, milliseconds. Default 10 000. */
  readonly closeTimeoutMs?: number
  /** Told when an `onChannel` threw or rejected, which ends its channel and nothing else. Default: nobody is told. */
  readonly onError?: (error: Error, peer: string) => void
}

interface Entry {
  accept(): Channel
}

/**
 * Channels inside one process, with the back-pressure, the acknowledged close and the errors of a real transport, so
 * that both sides of an audit can run in one test. Addresses are `memory:name`; every transport made by this factory has
 * names of its own.
 *
 * Messages are copied when they are sent. There is no handshake, so `handshakeTimeoutMs` has nothing to limit.
 *
 * @example
 * ```ts
 * const transport = memoryTransport()
 * await transport.listen('memory:auditor', (channel) => verifier.accept(channel))
 * const channel = await transport.dial('memory:auditor')
 * ```
 */
export function memoryTransport(options: MemoryTransportOptions = {}): Transport {
  const limits = {
    maxMessageBytes: positive('maxMessageBytes', options.maxMessageBytes ?? 64 * 2 ** 20),
    maxBufferedBytes: positive('maxBufferedBytes', options.maxBufferedBytes ?? 2 ** 20),
    closeTimeoutMs: positive('closeTimeoutMs', options.closeTimeoutMs ?? 10_000),
  }
  const entries = new Map<string, Entry>()

  return {
    specificationVersion: 'v1',
    name: 'memory',

    async dial(address: string, { signal }: DialOptions = {}): Promise<Channel> {
      requireAddress(address)
      throwIfAborted(signal)
      // As on a network, there is time to abort between the call and the connection.
      await undefined
      throwIfAborted(signal)
      const entry = entries.get(address)
      if (entry === undefined) throw new AssayError('peer-unreachable', `nobody listens on ${address}`)
      return entry.accept()
    },

    async listen(
      address: string,
      onChannel: (channel: Channel) => void,
      { signal, maxChannels = 1024 }: ListenOptions = {},
    ): Promise<Listener> {
      requireAddress(address)
      positive('maxChannels', maxChannels)
      await undefined
      throwIfAborted(signal)
      if (entries.has(address)) throw new AssayError('address-unavailable', `${address} is already listened on`)
      let open = 0
      let accepted = 0
      const entry: Entry = {
        accept() {
          if (open >= maxChannels) {
            throw new AssayError('peer-unreachable', `${address} refused: all of its ${maxChannels} channels are open`)
          }
          open += 1
          accepted += 1
          const [near, far] = MemoryChannel.pair(address, `${address}#${accepted}`, limits)
          void far.over.then(() => {
            open -= 1
          })
          void hand(far, onChannel, options.onError)
          return near
        },
      }
      entries.set(address, entry)
      const close = async () => {
        if (entries.get(address) === entry) entries.delete(address)
      }
      return { address, close, [Symbol.asyncDispose]: close }
    },
  }
}

async function hand(
  channel: Channel,
  onChannel: (channel: Channel) => unknown,
  onError: ((error: Error, peer: string) => void) | undefined,
): Promise<void> {
  await undefined
  try {
    await onChannel(channel)
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(`onChannel threw ${String(error)}`)
    channel.abort(failure)
    onError?.(failure, channel.peer)
  }
}

function requireAddress(address: string): void {
  if (!/^memory:[^\s]+$/.test(address)) {
    throw new AssayError('address-invalid', `expected an address like memory:auditor, got ${JSON.stringify(address)}`)
  }
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AssayError('aborted', 'the caller aborted', { cause: signal.reason })
}

function positive(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value <= 0)
    throw new RangeError(`${name} must be a positive integer, got ${value}`)
  return value
}
