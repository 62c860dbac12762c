import { AssayError } from '@tensor-assay/core'

/**
 * What both sides send once the WebSocket is open, under the subprotocol `tensor-assay.v1`.
 *
 * A binary message is a message of the channel, as it is. A text message is a line of the transport:
 *
 * ```
 * hello 67108864 8388608   The first thing that each side sends, without waiting for the other's: the longest message
 *                          that it takes, and its window, both in bytes. The smaller figures of the two sides hold.
 * credit 4194304           So many bytes of what the other side sent no longer count.
 * goodbye                  No message follows. The sender still receives.
 * ```
 *
 * A message counts its length and 256 bytes. Whoever has sent as many as the window without getting credit for them
 * waits. A side that has said goodbye and heard it sends the close frame of WebSocket with 1000; that of the other side
 * says that its goodbye arrived, and everything before it. A connection that ends without one was lost.
 *
 * The window is there because browsers cannot stop reading a WebSocket. It also lets a side that does not read answer
 * pings, and learn that the other is gone.
 */
export const subprotocol = 'tensor-assay.v1'

/** What a message counts for besides its bytes, so that a flood of empty ones meets back-pressure too. */
export const messageOverheadBytes = 256

/** More than any line. */
export const longestLineBytes = 64

/** Largest figure in a hello. `ws` keeps sizes in 32 bits with a sign. */
export const largestFigure = 2 ** 31 - 1

/** Why a side closes the WebSocket, RFC 6455 section 7.4.1. */
export const closeCodes = { done: 1000, malformed: 1002, unsupported: 1003, tooLarge: 1009 } as const

export interface Hello {
  readonly maxMessageBytes: number
  readonly windowBytes: number
}

export type Line =
  | ({ readonly kind: 'hello' } & Hello)
  | { readonly kind: 'credit'; readonly bytes: number }
  | { readonly kind: 'goodbye' }

export function helloLine({ maxMessageBytes, windowBytes }: Hello): string {
  return `hello ${maxMessageBytes} ${windowBytes}`
}

export function creditLine(bytes: number): string {
  return `credit ${bytes}`
}

export const goodbyeLine = 'goodbye'

const helloPattern = /^hello ([1-9]\d{0,9}) ([1-9]\d{0,9})$/
/** Credit may be for the window and a message together, and is never for more than was sent. */
const creditPattern = /^credit ([1-9]\d{0,14})$/

/** @returns `undefined` for text that is no line of this transport. */
export function parseLine(text: string): Line | undefined {
  if (text === goodbyeLine) return { kind: 'goodbye' }
  const [, credit] = creditPattern.exec(text) ?? []
  if (credit !== undefined) return { kind: 'credit', bytes: Number(credit) }
  const [, first, second] = helloPattern.exec(text) ?? []
  const [maxMessageBytes, windowBytes] = [Number(first), Number(second)]
  const isHello = maxMessageBytes <= largestFigure && windowBytes <= largestFigure
  return isHello ? { kind: 'hello', maxMessageBytes, windowBytes } : undefined
}

/** What the subprotocol of a token begins with. */
export const tokenPrefix = 'tensor-assay.bearer.'

/**
 * A token as a subprotocol, for browsers, which cannot set the `Authorization` header. A subprotocol may hold fewer
 * characters than a token.
 */
export function tokenProtocol(token: string): string {
  const base64url = btoa(token).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
  return `${tokenPrefix}${base64url}`
}

export function malformed(problem: string, cause?: Error): AssayError {
  return new AssayError('frame-malformed', `the peer sent what is not of this transport: ${problem}`, { cause })
}

export function tooLarge(length: number | undefined, maxMessageBytes: number): AssayError {
  const message = length === undefined ? 'a message' : `a message of ${length} bytes`
  return new AssayError('message-too-large', `the peer sent ${message}, over ${maxMessageBytes} bytes`)
}
