import { activateReference, checkAddend, checkVector, perColumn, type ReferenceActivation } from './activation.ts'
import { count, type ReferenceTensor, referenceTensor } from './tensor.ts'

export interface MatMulOptions {
  readonly transposeA?: boolean
  readonly transposeB?: boolean
  /** Factor of A·B; 1. */
  readonly alpha?: number
  /** An element for each column of C, or one for all. */
  readonly bias?: ReferenceTensor
  /** Of the shape of C. */
  readonly addend?: ReferenceTensor
  /** Factor of the bias and of the addend; 1. */
  readonly beta?: number
  readonly activation?: ReferenceActivation
}

export interface MatMulSizes {
  readonly m: number
  readonly k: number
  readonly n: number
  readonly aBatch: readonly number[]
  readonly bBatch: readonly number[]
}

/** @throws {RangeError} If the shapes do not fit. */
export function matMulSizes(a: ReferenceTensor, b: ReferenceTensor, options: MatMulOptions): MatMulSizes {
  const [m, k] = lastTwo(a, options.transposeA)
  const [kOfB, n] = lastTwo(b, options.transposeB)
  if (k !== kOfB) throw new RangeError(`[${a.shape}] and [${b.shape}] cannot be multiplied: ${k} is not ${kOfB}`)
  return { m, k, n, aBatch: a.shape.slice(0, -2), bBatch: b.shape.slice(0, -2) }
}

/** activation(alpha·op(A)·op(B) + beta·(bias + addend)) in batches that broadcast, every sum in float32, one term after the other. */
export function matMulKernel(a: ReferenceTensor, b: ReferenceTensor, options: MatMulOptions): ReferenceTensor {
  const { m, k, n, aBatch, bBatch } = matMulSizes(a, b, options)
  const { transposeA, transposeB, alpha = 1, bias, addend, beta = 1, activation = { name: 'linear' } } = options
  checkVector('bias', bias, n)
  if (activation.name === 'prelu') checkVector('slopes', activation.slopes, n)
  const batch = broadcast(aBatch, bBatch)
  const matrices = count(batch)
  const c = new Float32Array(matrices * m * n)
  checkAddend(addend, c.length)
  for (let matrix = 0; matrix < matrices; matrix++) {
    const aStart = broadcastIndex(matrix, batch, aBatch) * m * k
    const bStart = broadcastIndex(matrix, batch, bBatch) * k * n
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0
        for (let t = 0; t < k; t++) {
          const x = a.data[aStart + (transposeA ? t * m + i : i * k + t)]!
          const y = b.data[bStart + (transposeB ? j * k + t : t * n + j)]!
          sum = Math.fround(sum + x * y)
        }
        if (alpha !== 1) sum = Math.fround(Math.fround(alpha) * sum)
        if (bias !== undefined) sum = Math.fround(sum + Math.fround(Math.fround(beta) * perColumn(bias, j)))
        const at = (matrix * m + i) * n + j
        if (addend !== undefined) sum = Math.fround(sum + Math.fround(Math.fround(beta) * addend.data[at]!))
        c[at] = activateReference(activation, j, sum)
      }
    }
  }
  return referenceTensor([...batch, m, n], c)
}

function lastTwo({ shape }: ReferenceTensor, transposed = false): [number, number] {
  const [rows, cols] = shape.slice(-2)
  if (rows === undefined || cols === undefined) throw new RangeError(`expected at least 2 dimensions, got [${shape}]`)
  return transposed ? [cols, rows] : [rows, cols]
}

/** The shape that two batch shapes have together: aligned right, 1 repeats. @throws {RangeError} If they do not fit. */
function broadcast(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, i) => {
    const x = a[a.length - rank + i] ?? 1
    const y = b[b.length - rank + i] ?? 1
    if (x !== y && x !== 1 && y !== 1) throw new RangeError(`batches [${a}] and [${b}] do not broadcast`)
    return x === 1 ? y : x
  })
}

/** Number of the operand's matrix that belongs to matrix `index` of the result. */
function broadcastIndex(index: number, batch: readonly number[], operand: readonly number[]): number {
  let rest = index
  let flat = 0
  let stride = 1
  for (let fromRight = 1; fromRight <= operand.length; fromRight++) {
    const size = batch[batch.length - fromRight]!
    const own = operand[operand.length - fromRight]!
    flat += (own === 1 ? 0 : rest % size) * stride
    stride *= own
    rest = Math.floor(rest / size)
  }
  return flat
}
