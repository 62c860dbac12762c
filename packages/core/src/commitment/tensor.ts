import { bytesPerElement, type DType } from '../dtype.ts'
import { type Matrix, row, rowBytes } from '../matrix.ts'
import { deriveSeed } from '../random/seed.ts'
import { randomStream } from '../random/stream.ts'
import { encodeFields, fieldParts, writeUint64 } from './fields.ts'
import { leavesOf, rowsOfLeaves } from './leaves.ts'
import { buildTreeSteps, digestBytes, type MerkleTree } from './merkle.ts'
import { multiproof, rootFromMultiproof } from './multiproof.ts'
import type { HashSuite } from './suite.ts'

/**
 * Bytes of the salt of a leaf. Whoever does not know a salt needs 2¹²⁸ hashes to confirm a guess of its rows, and since a
 * leaf names its session, tensor and place, no hash serves two guesses. Binding does not rest on the salt.
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
  /** Rows in a leaf, such as {@link leafRowsOf} has it. */
  readonly leafRows: number
  /** 32 secret bytes of this prover. */
  readonly saltKey: Uint8Array
}

/** What a prover keeps to open rows later; the rows themselves are not part of it. */
export interface CommittedTensor {
  readonly tensor: number
  readonly rows: number
  readonly cols: number
  readonly dtype: DType
  readonly leafRows: number
  /** The commitment, 32 bytes. */
  readonly root: Uint8Array
  readonly tree: MerkleTree
  /** {@link saltBytes} for each leaf. */
  readonly salts: Uint8Array
}

/** What shows that some rows are those of a committed tensor, besides the rows. */
export interface TensorOpening {
  /** {@link saltBytes} for each opened leaf. */
  readonly salts: Uint8Array
  /** {@link multiproof} of the opened leaves. */
  readonly proof: Uint8Array
}

/**
 * Commits to every row of a matrix, in one go.
 *
 * leaf = H("leaf", session, tensor, number of the leaf, dtype, salt, bytes of its rows);
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
 * The proof for some leaves.
 *
 * @param leaves - Leaf numbers, ascending, without repetition.
 * @throws {RangeError} If `leaves` is not ascending or leaves the tensor.
 */
export function openTensor(committed: CommittedTensor, leaves: Uint32Array): TensorOpening {
  const proof = multiproof(committed.tree, leaves)
  const salts = new Uint8Array(leaves.length * saltBytes)
  for (const [i, index] of leaves.entries()) salts.set(saltOf(committed.salts, index), i * saltBytes)
  return { salts, proof }
}

/**
 * Some rows, and those that share a leaf with one of them, one after the other, with the proof for their leaves.
 *
 * @param rows - Row numbers, ascending, without repetition.
 * @throws {RangeError} If `rows` leaves the tensor.
 */
export function openRows(
  matrix: Matrix,
  committed: CommittedTensor,
  rows: Uint32Array,
): { readonly bytes: Uint8Array; readonly opening: TensorOpening } {
  const { leafRows } = committed
  const leaves = leavesOf(rows, leafRows)
  const opened = rowsOfLeaves(leaves, leafRows, matrix.rows)
  const stride = rowBytes(matrix)
  const bytes = new Uint8Array(opened.length * stride)
  for (const [i, index] of opened.entries()) bytes.set(row(matrix, index), i * stride)
  return { bytes, opening: openTensor(committed, leaves) }
}

export interface OpenedRows extends TensorPlace, TensorOpening {
  /** Rows of the whole tensor. */
  readonly rows: number
  readonly cols: number
  readonly dtype: DType
  /** Rows in a leaf; the verifier's own, because the commitment does not name it. */
  readonly leafRows: number
  /** The commitment, as it was received before the challenge. */
  readonly root: Uint8Array
  /** The opened rows, ascending: every row of some leaves. */
  readonly indices: Uint32Array
  /** The opened rows one after the other, in the order of `indices`. */
  readonly rowBytes: Uint8Array
}

/**
 * Whether the rows are those of the committed tensor. Never throws, whatever the prover sent. An opening of no rows shows
 * nothing and is refused, unless the tensor has none.
 */
export function verifyOpening(suite: HashSuite, opened: OpenedRows): boolean {
  const { session, tensor, rows, cols, dtype, leafRows, root, indices } = opened
  if (!Object.hasOwn(bytesPerElement, dtype)) return false
  const stride = rowBytes(opened)
  if (![tensor, rows, cols, stride].every((size) => Number.isSafeInteger(size) && size >= 0)) return false
  if (opened.rowBytes.length !== indices.length * stride) return false
  const leaves = leavesOf(indices, leafRows)
  const whole = rowsOfLeaves(leaves, leafRows, rows)
  if (whole.length !== indices.length || whole.some((row, i) => row !== indices[i])) return false
  if (opened.salts.length !== leaves.length * saltBytes) return false

  const leafHash = leafHasher(suite, opened, opened)
  const leafHashes = new Uint8Array(leaves.length * digestBytes)
  let start = 0
  for (const [i, leaf] of leaves.entries()) {
    const end = start + stride * Math.min(leafRows, rows - leaf * leafRows)
    leafHashes.set(leafHash(leaf, saltOf(opened.salts, i), opened.rowBytes.subarray(start, end)), i * digestBytes)
    start = end
  }
  const treeRoot = rootFromMultiproof(suite, Math.ceil(rows / leafRows), leaves, leafHashes, opened.proof)
  return treeRoot !== undefined && equalBytes(root, tensorRoot(suite, { session, tensor }, opened, treeRoot))
}

type Shape = Pick<Matrix, 'rows' | 'cols' | 'dtype'>

/** Work between two steps, as bytes to hash: about 3 ms of SHA-256. */
const stepBytes = 4 * 1024 * 1024
/** What a hash costs beyond its bytes, as bytes. */
const hashOverheadBytes = 1536

function* commitSteps(suite: HashSuite, input: CommitInput): Generator<undefined, CommittedTensor> {
  const { session, tensor, matrix, leafRows, saltKey } = input
  const { rows, cols, dtype } = matrix
  const stride = rowBytes(matrix)
  if (matrix.bytes.length !== rows * stride) {
    throw new RangeError(`a ${dtype} matrix of ${rows}×${cols} has ${rows * stride} bytes, got ${matrix.bytes.length}`)
  }
  if (!Number.isInteger(leafRows) || leafRows < 1) throw new RangeError(`a leaf must have rows, got ${leafRows}`)
  const leaves = Math.ceil(rows / leafRows)
  const salts = randomStream(deriveSeed(saltKey, 'salt', session, tensor)).bytes(leaves * saltBytes)
  const leafHash = leafHasher(suite, input, matrix)
  const leafHashes = new Uint8Array(leaves * digestBytes)
  const leavesPerStep = Math.ceil(stepBytes / (leafRows * stride + hashOverheadBytes))
  for (let leaf = 0; leaf < leaves; leaf++) {
    if (leaf > 0 && leaf % leavesPerStep === 0) yield
    const bytes = matrix.bytes.subarray(leaf * leafRows * stride, (leaf + 1) * leafRows * stride)
    leafHashes.set(leafHash(leaf, saltOf(salts, leaf), bytes), leaf * digestBytes)
  }
  const tree = yield* buildTreeSteps(suite, leafHashes)
  const root = tensorRoot(suite, { session, tensor }, matrix, tree.root)
  return { tensor, rows, cols, dtype, leafRows, root, tree, salts }
}

/** Hash of a leaf. Everything before its bytes is laid out once; only its number, salt and length change. */
function leafHasher(
  suite: HashSuite,
  { session, tensor }: TensorPlace,
  { dtype }: Pick<Matrix, 'dtype'>,
): (index: number, salt: Uint8Array, bytes: Uint8Array) => Uint8Array {
  const lengthBytes = 8
  const beforeIndex = encodeFields('leaf', session, tensor).length + lengthBytes
  const beforeSalt = encodeFields('leaf', session, tensor, 0, dtype).length + lengthBytes
  const beforeLength = beforeSalt + saltBytes
  const header = new Uint8Array(beforeLength + lengthBytes)
  header.set(encodeFields('leaf', session, tensor, 0, dtype, new Uint8Array(saltBytes)))
  return (index, salt, bytes) => {
    writeUint64(header, beforeIndex, index)
    header.set(salt, beforeSalt)
    writeUint64(header, beforeLength, bytes.length)
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
