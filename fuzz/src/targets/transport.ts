import { AssayError } from '@tensor-assay/core'
import { formatAddress, parseAddress } from '../../../packages/transport-tcp/src/address.ts'
import { type Frame, FrameReader } from '../../../packages/transport-tcp/src/frame-reader.ts'
import { decodePreamble, encodeHeader, encodePreamble, kinds } from '../../../packages/transport-tcp/src/wire.ts'
import { join } from '../damage.ts'
import { attempt, promised, refused, sameBytes, type Target } from '../target.ts'

const utf8 = new TextEncoder()
const maxMessageBytes = 2 ** 20
const message = (length: number) => join(encodeHeader(kinds.message, length), new Uint8Array(length).fill(9))

/** A stream of frames: cut anywhere, it holds the same frames, in memory for no more than four times what has come. */
export const tcpFrames: Target = {
  name: 'tcp-frames',
  maxInputBytes: 4096,
  // Read twice. Each frame of over 64 KiB that begins has 64 KiB; here only one, the last, can be as long.
  allowedBytes: (length) => 2 * (65_536 + 5 * length) + 16_384,
  isWhole: false,
  tokens: [
    encodeHeader(kinds.message, maxMessageBytes),
    encodeHeader(kinds.message, maxMessageBytes + 1),
    encodeHeader(3, 0),
  ],
  seeds: () => [
    new Uint8Array(0),
    join(message(3), message(0), encodeHeader(kinds.goodbye, 0), encodeHeader(kinds.goodbyeReceived, 0)),
    join(message(300), encodeHeader(kinds.message, maxMessageBytes), new Uint8Array(200)),
  ],
  check(input) {
    const whole = readAll(input, [input])
    const pieces: Uint8Array[] = []
    for (let from = 0, size = 1; from < input.length; from += size, size = (size % 13) + 1) {
      pieces.push(input.subarray(from, from + size))
    }
    const cut = readAll(input, pieces)
    promised(whole.error === cut.error, `in pieces it ends in ${cut.error}, at once in ${whole.error}`)
    promised(whole.frames.length === cut.frames.length, 'in pieces it holds another number of frames')
    for (const [i, { kind, body }] of whole.frames.entries()) {
      promised(cut.frames[i]!.kind === kind && sameBytes(cut.frames[i]!.body, body), 'in pieces it holds other frames')
    }
    return whole.error === undefined
  },
}

function readAll(input: Uint8Array, pieces: readonly Uint8Array[]): { frames: Frame[]; error?: string } {
  const reader = new FrameReader(maxMessageBytes)
  const frames: Frame[] = []
  try {
    for (const piece of pieces) {
      for (const frame of reader.read(piece)) {
        promised(frame.body.buffer !== input.buffer, 'a body is a view of the chunk')
        promised(frame.body.byteOffset % 8 === 0, 'a body is not aligned')
        frames.push(frame)
      }
    }
  } catch (error) {
    if (AssayError.isInstance(error) && ['frame-malformed', 'message-too-large'].includes(error.code)) {
      return { frames, error: error.message }
    }
    throw error
  }
  return { frames }
}

/** The first bytes of a connection, which may not be there in full. */
export const tcpPreamble: Target = {
  name: 'tcp-preamble',
  maxInputBytes: 64,
  allowedBytes: () => 4096,
  isWhole: false,
  seeds: () => [
    encodePreamble({ maxMessageBytes: 1, refused: false }),
    encodePreamble({ maxMessageBytes: 2 ** 32 - 1, refused: true }),
  ],
  check(input) {
    const preamble = attempt(() => decodePreamble(input), ['frame-malformed', 'version-unsupported'])
    if (preamble === refused) return false
    if (preamble === undefined) {
      promised(input.length < 16, 'a whole preamble is taken for a part of one')
      return true
    }
    promised(sameBytes(encodePreamble(preamble), input.subarray(0, 16)), 'two preambles mean the same')
    return true
  },
}

export const address: Target = {
  name: 'tcp-address',
  maxInputBytes: 256,
  allowedBytes: (length) => 4096 + 64 * length,
  isWhole: false,
  tokens: ['tcp://', 'tls://', 'unix:', '[::1]', ':65535', ':99999', '%', '\\', '/'].map((token) => utf8.encode(token)),
  seeds: () =>
    ['tcp://127.0.0.1:1', 'tls://[::1]:65535', 'unix:/run/assay.sock', 'tcp://auditor:0'].map((a) => utf8.encode(a)),
  check(input) {
    const text = new TextDecoder().decode(input)
    const parsed = attempt(() => parseAddress(text), ['address-invalid'])
    if (parsed === refused) return false
    promised(JSON.stringify(parseAddress(formatAddress(parsed))) === JSON.stringify(parsed), 'it is written otherwise')
    return true
  },
}
