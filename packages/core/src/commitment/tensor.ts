import { bytesPerElement, type DType } from '../dtype.ts'
import { type Matrix, row, rowBytes } from '../matrix.ts'
import { deriveSeed } from '../random/seed.ts'
import { randomStream } from '../random/stream.ts'
import { encodeFields, fieldParts, writeUint64 } from './fields.ts'
import { buildTreeSteps, digestBytes, type MerkleTree } from './merkle.ts'
import { multiproof, rootFromMultiproof } from './multiproof.ts'
import type { HashSuite } from './suite.ts'

/**
 * Bytes of the salt of a row. Whoever does not know a salt needs 2¹²⁸ hashes to confirm a guess of its row, and since a
 * leaf names its session, tensor and row, no hash serves two guesses. Binding does not rest on the salt.
 */
export const saltBytes = 16

/** What a tensor is committed as. */
export interface TensorPlace {
  /** Identifies the session to the hash. */
  readonly session: Uint8Array
  /** Number of the tensor in the session. */
  readonly tensor: number
}

export interface CommitInput extends TensorPlace {
  readonly matrix: Matrix
  /** 32 secret bytes of this prover. */
  readonly saltKey: Uint8Array
}

/** What a prover keeps to open rows later; the rows themselves are not part of it. */
export interface CommittedTensor {
  readonly tensor: number
  readonly rows: number
  readonly cols: number
  readonly dtype: DType
  /** The commitment, 32 bytes. */
  readonly root: Uint8Array
  readonly tree: MerkleTree
  /** {@link saltBytes} for each row. */
  readonly salts: Uint8Array
}

/** What shows that some rows are those of a committed tensor, besides the rows. */
export interface TensorOpening {
  /** {@link saltBytes} for each opened row. */
  readonly salts: Uint8Array
  /** {@link multiproof} of the opened rows. */
  readonly proof: Uint8Array
}

/**
 * Commits to every row of a matrix, in one go.
 *
 * leaf = H("leaf", session, tensor, row, dtype, salt, bytes of the row);
 * root = H("tensor", session, tensor, rows, cols, dtype, root of the tree over the leaves).
 *
 * @throws {RangeError} If the matrix does not have the bytes that its shape and element type ask for.
 */
export function commitTensor(suite: HashSuite, input: CommitInput): CommittedTensor {
  const steps = commitSteps(suite, input)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/**
 * {@link commitTensor}, with `pause` awaited after every few milliseconds of hashing so that other work gets a turn. The
 * matrix must not change meanwhile. If `pause` throws, so does this.
 */
export async function commitTensorInSteps(
  suite: HashSuite,
  input: CommitInput,
  pause: () => Promise<void>,
): Promise<CommittedTensor> {
  const steps = commitSteps(suite, input)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
    await pause()
  }
}

/**
 * The proof for some rows.
 *
 * @param rows - Row numbers, ascending, without repetition.
 * @throws {RangeError} If `rows` is not ascending or leaves the tensor.
 */
export function openTensor(committed: CommittedTensor, rows: Uint32Array): TensorOpening {
  const proof = multiproof(committed.tree, rows)
  const salts = new Uint8Array(rows.length * saltBytes)
  for (const [i, index] of rows.entries()) salts.set(saltOf(committed.salts, index), i * saltBytes)
  return { salts, proof }
}

export interface OpenedRows extends TensorPlace, TensorOpening {
  /** Rows of the whole tensor. */
  readonly rows: number
  readonly cols: number
  readonly dtype: DType
  /** The commitment, as it was received before the challenge. */
  readonly root: Uint8Array
  /** The challenged rows, ascending. */
  readonly indices: Uint32Array
  /** The opened rows one after the other, in the order of `indices`. */
  readonly rowBytes: Uint8Array
}

/**
 * Whether the rows are those of the committed tensor. Never throws, whatever the prover sent. An opening of no rows shows
 * nothing and is refused, unless the tensor has none.
 */
export function verifyOpening(suite: HashSuite, opened: OpenedRows): boolean {
  const { session, tensor, rows, cols, dtype, root, indices } = opened
  if (!Object.hasOwn(bytesPerElement, dtype)) return false
  const stride = rowBytes(opened)
  if (![tensor, rows, cols, stride].every((size) => Number.isSafeInteger(size) && size >= 0)) return false
  if (opened.rowBytes.length !== indices.length * stride) return false
  if (opened.salts.length !== indices.length * saltBytes) return false

  const leafHash = leafHasher(suite, opened, opened)
  const leafHashes = new Uint8Array(indices.length * digestBytes)
  for (const [i, index] of indices.entries()) {
    const bytes = opened.rowBytes.subarray(i * stride, (i + 1) * stride)
    leafHashes.set(leafHash(index, saltOf(opened.salts, i), bytes), i * digestBytes)
  }
  const treeRoot = rootFromMultiproof(suite, rows, indices, leafHashes, opened.proof)
  return treeRoot !== undefined && equalBytes(root, tensorRoot(suite, { session, tensor }, opened, treeRoot))
}

type Shape = Pick<Matrix, 'rows' | 'cols' | 'dtype'>

/** Work between two steps, as bytes to hash: about 3 ms of SHA-256. */
const stepBytes = 4 * 1024 * 1024
/** What a hash costs beyond its bytes, as bytes. */
const hashOverheadBytes = 1536

function* commitSteps(suite: HashSuite, input: CommitInput): Generator<undefined, CommittedTensor> {
  const { session, tensor, matrix, saltKey } = input
  const { rows, cols, dtype } = matrix
  const stride = rowBytes(matrix)
  if (matrix.bytes.length !== rows * stride) {
    throw new RangeError(`a ${dtype} matrix of ${rows}×${cols} has ${rows * stride} bytes, got ${matrix.bytes.length}`)
  }
  const salts = randomStream(deriveSeed(saltKey, 'salt', session, tensor)).bytes(rows * saltBytes)
  const leafHash = leafHasher(suite, input, matrix)
  const leafHashes = new Uint8Array(rows * digestBytes)
  const rowsPerStep = Math.ceil(stepBytes / (stride + hashOverheadBytes))
  for (let index = 0; index < rows; index++) {
    if (index > 0 && index % rowsPerStep === 0) yield
    leafHashes.set(leafHash(index, saltOf(salts, index), row(matrix, index)), index * digestBytes)
  }
  const tree = yield* buildTreeSteps(suite, leafHashes)
  const root = tensorRoot(suite, { session, tensor }, matrix, tree.root)
  return { tensor, rows, cols, dtype, root, tree, salts }
}

/** Hash of a row. Everything before its bytes is laid out once; only row number and salt change from row to row. */
function leafHasher(
  suite: HashSuite,
  { session, tensor }: TensorPlace,
  { cols, dtype }: Pick<Matrix, 'cols' | 'dtype'>,
): (index: number, salt: Uint8Array, bytes: Uint8Array) => Uint8Array {
  const lengthBytes = 8
  const beforeIndex = encodeFields('leaf', session, tensor).length + lengthBytes
  const beforeSalt = encodeFields('leaf', session, tensor, 0, dtype).length + lengthBytes
  const header = new Uint8Array(beforeSalt + saltBytes + lengthBytes)
  header.set(encodeFields('leaf', session, tensor, 0, dtype, new Uint8Array(saltBytes)))
  writeUint64(header, beforeSalt + saltBytes, rowBytes({ cols, dtype }))
  return (index, salt, bytes) => {
    writeUint64(header, beforeIndex, index)
    header.set(salt, beforeSalt)
    return suite.hash(header, bytes)
  }
}

function tensorRoot(suite: HashSuite, place: TensorPlace, shape: Shape, treeRoot: Uint8Array): Uint8Array {
  const { session, tensor } = place
  return suite.hash(...fieldParts('tensor', session, tensor, shape.rows, shape.cols, shape.dtype, treeRoot))
}

function saltOf(salts: Uint8Array, index: number): Uint8Array {
  return salts.subarray(index * saltBytes, (index + 1) * saltBytes)
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
