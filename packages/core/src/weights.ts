import type { DType } from './dtype.ts'

/** A public tensor that the verifier holds. */
export interface Weight {
  /** For people to read; never used to decide anything. */
  readonly name: string
  readonly dtype: DType
  /** As the file states it, row-major. */
  readonly shape: readonly number[]
  readonly byteLength: number
  /** {@link weightDigest} of the bytes, hexadecimal: the only identity a weight has. */
  readonly digest: string
  /** The elements, little-endian, row-major. */
  read(): Promise<Uint8Array>
}

/** Public weights by digest. */
export interface WeightStore {
  readonly weights: readonly Weight[]
  find(digest: string): Weight | undefined
}
