import { bytesToHex } from '@noble/hashes/utils.js'
import type { DType } from '../dtype.ts'
import { fieldParts } from './fields.ts'
import { sha256 } from './suite.ts'

/**
 * Identity of a public tensor: SHA-256 of its element type and its bytes, whatever suite a session uses.
 *
 * The shape is left out: a library may hold the tensor reshaped, and every product states how it reads the bytes.
 *
 * @param bytes - The elements, little-endian, row-major. They are not copied.
 * @returns 64 lower-case hexadecimal digits.
 *
 * @example
 * ```ts
 * weightDigest('float32', new Uint8Array(new Float32Array([1, 2]).buffer))
 * ```
 */
export function weightDigest(dtype: DType, bytes: Uint8Array): string {
  return bytesToHex(sha256.hash(...fieldParts('weight', dtype, bytes)))
}
