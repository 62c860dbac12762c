import { AssayError } from '../errors.ts'
import { controlLimits } from './canonical.ts'
import { decodeControl, encodeControl } from './control.ts'

/**
 * Layout of a frame, little-endian. Every segment starts on a multiple of 8 bytes from the start of the frame, so that
 * a receiver that puts the frame in aligned memory can view tensor data in place.
 *
 * ```
 * offset  bytes  field
 * 0       4      magic 54 41 53 59 ("TASY")
 * 4       1      protocol version
 * 5       1      message type
 * 6       2      number of segments, s
 * 8       4      length of the control map, c
 * 12      4 × s  length of each segment
 * …       c      control map, deterministic CBOR
 * …              each segment, preceded by zero bytes up to a multiple of 8
 * ```
 */
const magic = [0x54, 0x41, 0x53, 0x59] as const

export const protocolVersion = 1

const fixedBytes = 12
const alignment = 8
const padding = new Uint8Array(alignment)

/** Bounds that a decoder applies before it looks at anything else. */
export const frameLimits = {
  /** A control map, bytes. */
  maxControlBytes: 4 * 1024 * 1024,
  /** Segments in a frame. */
  maxSegments: 8,
  ...controlLimits,
} as const

export interface Frame {
  readonly type: number
  readonly control: unknown
  /** Views into the frame. */
  readonly segments: readonly Uint8Array[]
}

/**
 * Encodes a frame as the parts of one message. Segments are not copied.
 *
 * @throws {RangeError} If the control map or the number of segments exceeds {@link frameLimits}.
 */
export function encodeFrame(frame: Frame): Uint8Array[] {
  const control = encodeControl(frame.control)
  const { segments } = frame
  if (control.length > frameLimits.maxControlBytes) {
    throw new RangeError(`control map of ${control.length} bytes exceeds ${frameLimits.maxControlBytes}`)
  }
  if (segments.length > frameLimits.maxSegments) {
    throw new RangeError(`${segments.length} segments exceed ${frameLimits.maxSegments}`)
  }
  const head = new Uint8Array(fixedBytes + 4 * segments.length + control.length)
  const view = new DataView(head.buffer)
  head.set(magic, 0)
  head[4] = protocolVersion
  head[5] = frame.type
  view.setUint16(6, segments.length, true)
  view.setUint32(8, control.length, true)
  segments.forEach((segment, i) => {
    view.setUint32(fixedBytes + 4 * i, segment.length, true)
  })
  head.set(control, fixedBytes + 4 * segments.length)

  const parts: Uint8Array[] = [head]
  let offset = head.length
  for (const segment of segments) {
    const gap = gapAfter(offset)
    if (gap > 0) parts.push(padding.subarray(0, gap))
    parts.push(segment)
    offset += gap + segment.length
  }
  return parts
}

/**
 * Decodes one frame, all of it or nothing.
 *
 * @param bytes - Exactly one frame. Returned segments are views of it.
 * @throws {AssayError} `frame-malformed`, or `version-unsupported` for a frame of another protocol version.
 */
export function decodeFrame(bytes: Uint8Array): Frame {
  if (bytes.length < fixedBytes) throw malformed(`${bytes.length} bytes are too few for a header of ${fixedBytes}`)
  if (magic.some((byte, i) => bytes[i] !== byte)) throw malformed('the magic bytes are missing')
  if (bytes[4] !== protocolVersion) {
    throw new AssayError(
      'version-unsupported',
      `the peer sent a frame of protocol version ${bytes[4]}; this side speaks ${protocolVersion}`,
    )
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const count = view.getUint16(6, true)
  if (count > frameLimits.maxSegments) throw malformed(`${count} segments exceed ${frameLimits.maxSegments}`)
  const controlBytes = view.getUint32(8, true)
  if (controlBytes > frameLimits.maxControlBytes) {
    throw malformed(`a control map of ${controlBytes} bytes exceeds ${frameLimits.maxControlBytes}`)
  }
  const controlStart = fixedBytes + 4 * count
  let offset = controlStart + controlBytes
  if (offset > bytes.length) throw malformed(`the control map ends at ${offset}, the frame at ${bytes.length}`)
  const control = decodeControl(bytes.subarray(controlStart, offset))

  const segments: Uint8Array[] = []
  for (let i = 0; i < count; i++) {
    const start = offset + gapAfter(offset)
    const end = start + view.getUint32(fixedBytes + 4 * i, true)
    if (end > bytes.length) throw malformed(`segment ${i} ends at ${end}, the frame at ${bytes.length}`)
    for (let j = offset; j < start; j++) if (bytes[j] !== 0) throw malformed(`padding byte ${j} is not zero`)
    segments.push(bytes.subarray(start, end))
    offset = end
  }
  if (offset !== bytes.length) throw malformed(`${bytes.length - offset} bytes follow the last segment`)
  return { type: bytes[5]!, control, segments }
}

function gapAfter(offset: number): number {
  return (alignment - (offset % alignment)) % alignment
}

function malformed(detail: string): AssayError {
  return new AssayError('frame-malformed', `not a frame of this protocol: ${detail}`)
}
