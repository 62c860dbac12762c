import { TlsCredentials, type TlsOptions } from '@tensor-assay/core/node'
import { largestLength } from './wire.ts'

/** Every bound and wait of this transport. A timeout of `Infinity` means never. */
export interface TcpOptions {
  /**
   * Longest message that this side sends or takes, bytes; a channel uses the smaller figure of its two sides. At most
   * 2³² − 1. Default 64 MiB.
   */
  readonly maxMessageBytes?: number
  /**
   * Received bytes that wait for the reader before the socket is no longer read, for each channel. One message more may
   * be under way, and the system's socket buffers come on top. Default 16 MiB.
   */
  readonly maxBufferedBytes?: number
  /**
   * Received bytes that all channels of one listener hold together, messages under way included. One message more may come
   * on top. When it is used up, the channel ends that has held some for the longest time. Default 1 GiB.
   */
  readonly maxTotalBufferedBytes?: number
  /** Connections that one listener holds at once, those in the handshake included. Default 1024. */
  readonly maxChannels?: number
  /**
   * From the start of dialing, or from accepting, to the end of the handshake, name look-up and TLS included. Bytes that
   * arrive do not extend it. Default 10 000 ms.
   */
  readonly handshakeTimeoutMs?: number
  /**
   * Without any byte from the peer while this side is ready to read. Default `Infinity`: a prover blocked in one long
   * synchronous product cannot answer, and one between two runs has nothing to say. Machines that vanish are found by
   * TCP keep-alive, which the peer's kernel answers even then; how long a peer may take for an answer is for the
   * protocol above to decide.
   */
  readonly idleTimeoutMs?: number
  /**
   * For every 64 KiB of a message that was started, or for its rest, in either direction: also for the peer to take what
   * is sent to it. It has to outlast the longest synchronous product, during which a prover neither writes nor reads.
   * Default 120 000 ms.
   */
  readonly stallTimeoutMs?: number
  /** In `close`, for the peer to take what is queued and to say its own goodbye. Default 30 000 ms. */
  readonly closeTimeoutMs?: number
  /** Certificates for `tls://`. */
  readonly tls?: TlsOptions
  /**
   * Told of each connection that a listener could not turn into a channel, of channels whose `onChannel` failed, and of
   * errors of the listening socket. Nothing has to be done about any of them. Default: they are not reported.
   *
   * @param peer - The address at the other end, or the listener's own.
   */
  readonly onError?: (error: Error, peer: string) => void
}

/** Bounds of one channel. */
export interface ChannelLimits {
  readonly maxMessageBytes: number
  readonly maxBufferedBytes: number
  readonly idleTimeoutMs: number
  readonly stallTimeoutMs: number
  readonly closeTimeoutMs: number
}

export interface Settings extends ChannelLimits {
  readonly maxTotalBufferedBytes: number
  readonly maxChannels: number
  readonly handshakeTimeoutMs: number
  readonly credentials: TlsCredentials
  readonly onError: (error: Error, peer: string) => void
}

/** Longest delay that Node's timers take; they turn a longer one into 1 ms. */
const longestTimeoutMs = 2 ** 31 - 1

export function resolveOptions(options: TcpOptions): Settings {
  const { maxMessageBytes = 64 * 2 ** 20, maxBufferedBytes = 16 * 2 ** 20, maxChannels = 1024 } = options
  const { maxTotalBufferedBytes = 2 ** 30 } = options
  return {
    maxMessageBytes: integer('maxMessageBytes', maxMessageBytes, largestLength),
    maxBufferedBytes: integer('maxBufferedBytes', maxBufferedBytes),
    maxTotalBufferedBytes: integer('maxTotalBufferedBytes', maxTotalBufferedBytes),
    maxChannels: maxChannelsOf(maxChannels),
    handshakeTimeoutMs: timeoutOf({ handshakeTimeoutMs: options.handshakeTimeoutMs }) ?? 10_000,
    idleTimeoutMs: timeoutOf({ idleTimeoutMs: options.idleTimeoutMs }) ?? Number.POSITIVE_INFINITY,
    stallTimeoutMs: timeoutOf({ stallTimeoutMs: options.stallTimeoutMs }) ?? 120_000,
    closeTimeoutMs: timeoutOf({ closeTimeoutMs: options.closeTimeoutMs }) ?? 30_000,
    credentials: new TlsCredentials(options.tls ?? {}),
    onError: options.onError ?? (() => {}),
  }
}

export function maxChannelsOf(maxChannels: number): number {
  return integer('maxChannels', maxChannels)
}

/** @param named - One timeout under its own name, which the error repeats. */
export function timeoutOf(named: Readonly<Record<string, number | undefined>>): number | undefined {
  for (const [name, value] of Object.entries(named)) {
    if (value === undefined || value === Number.POSITIVE_INFINITY) return value
    return integer(name, value, longestTimeoutMs)
  }
  return undefined
}

function integer(name: string, value: number, largest = Number.MAX_SAFE_INTEGER): number {
  if (Number.isInteger(value) && value >= 1 && value <= largest) return value
  throw new RangeError(`${name} must be an integer from 1 to ${largest}, got ${value}`)
}
