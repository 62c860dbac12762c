import { hexToBytes } from '@noble/hashes/utils.js'
import type { ProductObserver } from '../backend.ts'
import type { OperationRecord, ProductRecord } from '../codec/messages.ts'
import type { Activation, OpaqueOperation, Product, TensorHandle, VectorOperand } from '../product.ts'
import type { KnownWeights } from './weights.ts'

/** What becomes of a product: each mode has its own. Called while the product is observed; may throw. */
export interface ProductSink {
  product(base: RecordBase, product: Product): void
  opaque(record: OperationRecord): void
}

/** The parts of a record that are known at once. */
export type RecordBase = Pick<ProductRecord, 'sequence' | 'step'>

/** Numbers the operations of a session and never lets a defect of ours reach the user's program. */
export function recorder(
  sink: ProductSink,
  currentStep: () => number | undefined,
  onDefect: (error: unknown) => void,
): ProductObserver & { readonly operations: number } {
  let operations = 0
  function guarded(record: (base: RecordBase) => void): void {
    const step = currentStep()
    if (step === undefined) return
    try {
      record({ sequence: operations++, step })
    } catch (error) {
      onDefect(error)
    }
  }
  return {
    get operations() {
      return operations
    },
    product: (product) => guarded((base) => sink.product(base, product)),
    opaque: (operation) =>
      guarded((base) => sink.opaque(opaqueRecord(base, operation, 'unsupported', operation.reason))),
  }
}

export function opaqueRecord(
  base: RecordBase,
  { operation, node }: Pick<OpaqueOperation, 'operation' | 'node'>,
  cause: 'skipped' | 'unsupported',
  reason: string,
): OperationRecord {
  return { kind: 'opaque', ...base, operation, ...(node === undefined ? {} : { node }), cause, reason }
}

export interface RecordTensors {
  readonly a: number
  readonly b: { readonly digest: string } | { readonly tensor: number }
  readonly c: number
}

/** States a product as it travels. */
export async function productRecord(
  base: RecordBase,
  product: Product,
  vectors: VectorDigests,
  tensors: RecordTensors,
): Promise<ProductRecord> {
  const { operation, node, layout, epilogue, profile } = product
  const { bias, activation } = await vectors
  return {
    kind: 'product',
    ...base,
    operation,
    ...(node === undefined ? {} : { node }),
    layout: { m: layout.m, k: layout.k, n: layout.n, aBatch: [...layout.aBatch], bBatch: [...layout.bBatch] },
    a: tensors.a,
    b:
      'digest' in tensors.b
        ? { kind: 'weight', digest: hexToBytes(tensors.b.digest), transposed: product.b.transposed }
        : { kind: 'activation', tensor: tensors.b.tensor },
    c: tensors.c,
    alpha: epilogue.alpha,
    ...(bias === undefined ? {} : { bias }),
    activation,
    profile,
  }
}

type VectorDigests = Promise<Pick<ProductRecord, 'activation' | 'bias'>>

/** Identifies the vectors of an epilogue. The hashing happens during the call wherever the library's data is at hand. */
export function digestVectors({ epilogue }: Product, weights: KnownWeights): VectorDigests {
  const bias = epilogue.bias === undefined ? undefined : digestVector(epilogue.bias, weights)
  const activation = digestActivation(epilogue.activation, weights)
  return (async () => {
    const settled = await bias
    return { activation: await activation, ...(settled === undefined ? {} : { bias: settled }) }
  })()
}

async function digestVector(vector: VectorOperand, weights: KnownWeights) {
  const stored = vector.stored()
  const digest = stored instanceof Promise ? weights.digest(await stored) : weights.digest(stored)
  return { digest: hexToBytes(digest), length: vector.length }
}

async function digestActivation(activation: Activation, weights: KnownWeights): Promise<ProductRecord['activation']> {
  if (activation.name === 'prelu') return { name: 'prelu', slopes: await digestVector(activation.slopes, weights) }
  if (activation.name === 'leakyrelu') return { name: 'leakyrelu', slope: activation.slope }
  return { name: activation.name }
}

export function shapeOf(tensor: number, { rows, cols, dtype }: TensorHandle) {
  return { tensor, rows, cols, dtype }
}
