import { AssayError } from '@tensor-assay/core'

/**
 * What both sides write, little-endian.
 *
 * Each side sends one preamble as soon as it is connected, without waiting for the other's:
 *
 * ```
 * offset  bytes  preamble
 * 0       6      magic 54 41 53 54 43 50 ("TASTCP")
 * 6       2      transport version, 1
 * 8       4      longest message that the sender of this preamble takes, at least 1
 * 12      1      0, or 1 if a listener ends the connection because it does not trust the dialer's certificate
 * 13      3      zero
 * ```
 *
 * Then frames, each:
 *
 * ```
 * offset  bytes  frame
 * 0       1      kind: 0 message, 1 goodbye, 2 goodbye received
 * 1       3      zero
 * 4       4      length of the body, n; 0 unless the kind is message
 * 8       n      body
 * ```
 *
 * A goodbye is the last thing that a side sends, but for the answer to the other's goodbye, which is sent at once. A
 * side that has sent a goodbye, has its answer and has answered the other's ends the connection. A connection that ends
 * before that was lost.
 */
export const transportVersion = 1

export const preambleBytes = 16
export const headerBytes = 8
/** Longest body that the length field can state. */
export const largestLength = 2 ** 32 - 1

export const kinds = { message: 0, goodbye: 1, goodbyeReceived: 2 } as const

const magic = [0x54, 0x41, 0x53, 0x54, 0x43, 0x50]

export interface Preamble {
  readonly maxMessageBytes: number
  readonly refused: boolean
}

export function encodePreamble({ maxMessageBytes, refused }: Preamble): Uint8Array {
  const bytes = new Uint8Array(preambleBytes)
  const view = new DataView(bytes.buffer)
  bytes.set(magic)
  view.setUint16(6, transportVersion, true)
  view.setUint32(8, maxMessageBytes, true)
  bytes[12] = refused ? 1 : 0
  return bytes
}

/**
 * Decodes a preamble that may not have arrived in full, so that a peer that speaks something else is recognised by its
 * first byte.
 *
 * @returns `undefined` while bytes are missing and those that came are right.
 * @throws {AssayError} `frame-malformed`, `version-unsupported`.
 */
export function decodePreamble(bytes: Uint8Array): Preamble | undefined {
  const wrong = magic.findIndex((byte, i) => i < bytes.length && bytes[i] !== byte)
  if (wrong !== -1) throw notAPreamble(`it sent ${startOf(bytes)}`)
  if (bytes.length < 8) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const version = view.getUint16(6, true)
  if (version !== transportVersion) {
    const versions = `the peer speaks transport version ${version}, this side ${transportVersion}`
    throw new AssayError('version-unsupported', `${versions}; install the same version of the transport on both`)
  }
  if (bytes.length < preambleBytes) return undefined
  const maxMessageBytes = view.getUint32(8, true)
  if (maxMessageBytes === 0) throw notAPreamble('it takes no message at all')
  if (bytes[12]! > 1 || bytes[13] !== 0 || bytes[14] !== 0 || bytes[15] !== 0) {
    throw notAPreamble('reserved bytes are not zero')
  }
  return { maxMessageBytes, refused: bytes[12] === 1 }
}

export function encodeHeader(kind: number, length: number): Uint8Array {
  const bytes = new Uint8Array(headerBytes)
  bytes[0] = kind
  new DataView(bytes.buffer).setUint32(4, length, true)
  return bytes
}

/**
 * @param bytes - Exactly {@link headerBytes}.
 * @throws {AssayError} `frame-malformed`, or `message-too-large` for a message over `maxMessageBytes`.
 */
export function decodeHeader(bytes: Uint8Array, maxMessageBytes: number): { kind: number; length: number } {
  const kind = bytes[0]!
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(4, true)
  if (kind > kinds.goodbyeReceived) throw malformed(`kind ${kind} is unknown`)
  if (bytes[1] !== 0 || bytes[2] !== 0 || bytes[3] !== 0) throw malformed('reserved bytes are not zero')
  if (kind !== kinds.message && length > 0)
    throw malformed(`a goodbye cannot have a body, but declares ${length} bytes`)
  if (length > maxMessageBytes) {
    throw new AssayError('message-too-large', `the peer declared a message of ${length} bytes, over ${maxMessageBytes}`)
  }
  return { kind, length }
}

export function malformed(problem: string): AssayError {
  return new AssayError('frame-malformed', `the peer sent a frame that is not one of this transport: ${problem}`)
}

function notAPreamble(problem: string): AssayError {
  return new AssayError('frame-malformed', `the peer does not speak this transport's protocol: ${problem}`)
}

/** The first bytes, printable: text where it is text, so that HTTP is recognised. */
function startOf(bytes: Uint8Array): string {
  const start = bytes.subarray(0, 16)
  const text = start.every((byte) => byte >= 0x20 && byte < 0x7f)
  return text ? JSON.stringify(Buffer.from(start).toString('latin1')) : Buffer.from(start).toString('hex')
}
