import { AssayError } from '../errors.ts'

/**
 * A receipt: what a prover would have said to a verifier, message after message, little-endian.
 *
 * ```
 * offset  bytes  field
 * 0       4      magic 54 41 52 43 ("TARC")
 * 4       4      version, 1
 * …       4      length of a message, n   } repeated
 * …       n      the message              } to the end
 * ```
 */
const magic = [0x54, 0x41, 0x52, 0x43] as const
const version = 1
const headerBytes = 8

/** A receipt, bytes: twice the openings of a model of a thousand layers. */
export const maxReceiptBytes = 2 ** 31 - 1

export function encodeReceipt(messages: readonly Uint8Array[]): Uint8Array {
  const length = messages.reduce((sum, message) => sum + 4 + message.length, headerBytes)
  const out = new Uint8Array(length)
  const view = new DataView(out.buffer)
  out.set(magic)
  view.setUint32(4, version, true)
  let offset = headerBytes
  for (const message of messages) {
    view.setUint32(offset, message.length, true)
    out.set(message, offset + 4)
    offset += 4 + message.length
  }
  return out
}

/**
 * The messages of a receipt, as views.
 *
 * @throws {AssayError} `receipt-malformed`, `version-unsupported`.
 */
export function* decodeReceipt(bytes: Uint8Array): Generator<Uint8Array, void> {
  if (bytes.length > maxReceiptBytes) throw malformed(`it has ${bytes.length} bytes, of at most ${maxReceiptBytes}`)
  if (bytes.length < headerBytes || magic.some((byte, i) => bytes[i] !== byte)) {
    throw malformed('it does not begin as a receipt does')
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(4, true) !== version) {
    const message = `the receipt has version ${view.getUint32(4, true)}; this side reads version ${version}`
    throw new AssayError('version-unsupported', message)
  }
  for (let offset = headerBytes; offset < bytes.length; ) {
    if (offset + 4 > bytes.length) throw malformed(`it ends at ${bytes.length}, within the length of a message`)
    const end = offset + 4 + view.getUint32(offset, true)
    if (end > bytes.length) throw malformed(`a message ends at ${end}, the file at ${bytes.length}`)
    yield bytes.subarray(offset + 4, end)
    offset = end
  }
}

function malformed(detail: string): AssayError {
  return new AssayError('receipt-malformed', `not a receipt: ${detail}`)
}
