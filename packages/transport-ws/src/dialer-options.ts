import { largestFigure } from './wire.ts'

/** The options that mean something in a browser as well. A timeout of `Infinity` means never. */
export interface DialerOptions {
  /**
   * Longest message that this side sends or takes, bytes; a channel uses the smaller figure of its two sides. At most
   * 2³¹ − 1. Default 64 MiB.
   */
  readonly maxMessageBytes?: number
  /**
   * Received bytes that wait for the reader, for each channel: half of it read ahead, the other half the window in which
   * the peer sends without waiting for this side, or less if the peer asks for less. One message more may be under way,
   * and the system's socket buffers come on top. Default 16 MiB.
   */
  readonly maxBufferedBytes?: number
  /**
   * From the start of dialing, or from accepting, to the end of the handshake, name look-up and TLS included. Bytes that
   * arrive do not extend it. Default 10 000 ms.
   */
  readonly handshakeTimeoutMs?: number
  /**
   * Without any message from the peer, or 64 KiB of one, while this side is ready to read. Answers to pings do not
   * count. Default `Infinity`: how long a peer may take for an answer is for the protocol above to decide.
   */
  readonly idleTimeoutMs?: number
  /** In `close`, for the peer to take what is queued and to say its own goodbye. Default 30 000 ms. */
  readonly closeTimeoutMs?: number
  /**
   * Secret that a listener asks for and a dialer shows, up to 1024 letters, digits and `-._~+/`, and `=` at the end.
   * On `ws://` everybody on the way can read it. Default: none is asked for.
   */
  readonly token?: string
}

/** Bounds of one channel. */
export interface ChannelLimits {
  readonly maxMessageBytes: number
  readonly maxBufferedBytes: number
  readonly idleTimeoutMs: number
  readonly closeTimeoutMs: number
}

export interface DialerSettings extends ChannelLimits {
  readonly handshakeTimeoutMs: number
  readonly token: string | undefined
}

/** Longest delay that timers take; Node turns a longer one into 1 ms. */
export const longestTimeoutMs = 2 ** 31 - 1

export function resolveDialerOptions(options: DialerOptions): DialerSettings {
  const { maxMessageBytes = 64 * 2 ** 20, maxBufferedBytes = 16 * 2 ** 20, token } = options
  if (token !== undefined && !/^(?=.{1,1024}$)[\w.~+/-]+=*$/.test(token)) {
    // The token itself is not shown: errors end in logs.
    throw new TypeError('token must be up to 1024 letters, digits and -._~+/, with = only at the end')
  }
  return {
    maxMessageBytes: integer('maxMessageBytes', maxMessageBytes, largestFigure),
    maxBufferedBytes: integer('maxBufferedBytes', maxBufferedBytes),
    handshakeTimeoutMs: timeoutOf({ handshakeTimeoutMs: options.handshakeTimeoutMs }) ?? 10_000,
    idleTimeoutMs: timeoutOf({ idleTimeoutMs: options.idleTimeoutMs }) ?? Number.POSITIVE_INFINITY,
    closeTimeoutMs: timeoutOf({ closeTimeoutMs: options.closeTimeoutMs }) ?? 30_000,
    token,
  }
}

/** @param named - One timeout under its own name, which the error repeats. */
export function timeoutOf(named: Readonly<Record<string, number | undefined>>): number | undefined {
  for (const [name, value] of Object.entries(named)) {
    if (value === undefined || value === Number.POSITIVE_INFINITY) return value
    return integer(name, value, longestTimeoutMs)
  }
  return undefined
}

export function integer(name: string, value: number, largest = Number.MAX_SAFE_INTEGER): number {
  if (Number.isInteger(value) && value >= 1 && value <= largest) return value
  throw new RangeError(`${name} must be an integer from 1 to ${largest}, got ${value}`)
}
