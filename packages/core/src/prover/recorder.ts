import { hexToBytes } from '@noble/hashes/utils.js'
import type { ForeseenProduct, ForeseenRows, ProductObserver } from '../backend.ts'
import type { OperationRecord, ProductRecord } from '../codec/messages.ts'
import type { Activation, OpaqueOperation, Product, StoredTensor, TensorHandle, VectorOperand } from '../product.ts'
import type { Steps } from './steps.ts'
import type { KnownWeights } from './weights.ts'

/** What becomes of a product: each mode has its own. Called while the product is observed; may throw. */
export interface ProductSink {
  product(base: RecordBase, product: Product): void
  opaque(record: OperationRecord): void
  /** Whether nothing of a step is looked at. */
  skips?(step: number): boolean
  /** What the product of this number will be read of; a mode that needs whole tensors has no answer. */
  foresee?(sequence: number, product: ForeseenProduct): ForeseenRows
}

/** The parts of a record that are known at once. */
export type RecordBase = Pick<ProductRecord, 'sequence' | 'step'>

/** Numbers the operations of a session and never lets a defect of ours reach the user's program. */
export function recorder(
  sink: ProductSink,
  steps: Steps,
  onDefect: (error: unknown) => void,
): ProductObserver & { readonly operations: number } {
  let operations = 0
  function guarded(record: (base: RecordBase) => void): void {
    const step = steps.current()
    if (step === undefined || sink.skips?.(step)) return
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
    run: () => steps.next(),
    foresee(ahead, product) {
      try {
        const step = steps.upcoming()
        if (step === undefined || sink.skips?.(step)) return 'none'
        return sink.foresee?.(operations + ahead, product) ?? 'all'
      } catch {
        // Whatever is wrong with the product shows when it is recorded.
        return 'all'
      }
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
  readonly addend?: number
}

/** States a product as it travels. */
export function productRecord(
  base: RecordBase,
  { operation, node, layout, b, zeroPoints, roundedBlocks, epilogue, profile }: Product,
  { bias, scales, slopes, zeroPoint: bZeroPoint }: VectorDigests,
  tensors: RecordTensors,
): ProductRecord {
  return {
    kind: 'product',
    ...base,
    operation,
    ...(node === undefined ? {} : { node }),
    // Nobody changes a layout, though only this type of the two says so.
    layout: layout as ProductRecord['layout'],
    a: tensors.a,
    b:
      'digest' in tensors.b
        ? { kind: 'weight', digest: hexToBytes(tensors.b.digest), transposed: b.transposed }
        : { kind: 'activation', tensor: tensors.b.tensor },
    c: tensors.c,
    ...(tensors.addend === undefined ? {} : { addend: tensors.addend }),
    ...(zeroPoints === undefined
      ? {}
      : { zeroPoints: { a: zeroPoints.a, ...(bZeroPoint === undefined ? {} : { b: bZeroPoint }) } }),
    ...(roundedBlocks === undefined ? {} : { roundedBlocks }),
    alpha: epilogue.alpha,
    ...(scales === undefined ? {} : { scales }),
    ...(bias === undefined ? {} : { bias }),
    ...(epilogue.beta === undefined ? {} : { beta: epilogue.beta }),
    activation: activationRecord(epilogue.activation, slopes),
    ...(epilogue.zeroPoint === undefined ? {} : { zeroPoint: epilogue.zeroPoint }),
    profile,
  }
}

type VectorRecord = NonNullable<ProductRecord['bias']>
type VectorName = 'bias' | 'scales' | 'slopes' | 'zeroPoint'
export type VectorDigests = { readonly [name in VectorName]?: VectorRecord }

/**
 * Identifies the public vectors of a product. The hashing happens during the call, and there is nothing to wait for,
 * wherever the library's data is at hand.
 */
export function digestVectors(
  { epilogue, zeroPoints }: Product,
  weights: KnownWeights,
): VectorDigests | Promise<VectorDigests> {
  const { activation } = epilogue
  const operands: readonly (readonly [VectorName, VectorOperand | undefined])[] = [
    ['bias', epilogue.bias],
    ['scales', epilogue.scales],
    ['slopes', activation.name === 'prelu' ? activation.slopes : undefined],
    ['zeroPoint', zeroPoints?.b],
  ]
  const digests: { [name in VectorName]?: VectorRecord } = {}
  const awaited: Promise<void>[] = []
  for (const [name, operand] of operands) {
    if (operand === undefined) continue
    const take = (stored: StoredTensor) => {
      digests[name] = { digest: hexToBytes(weights.digest(stored)), length: operand.length, dtype: operand.dtype }
    }
    const found = operand.stored()
    if (found instanceof Promise) awaited.push(found.then(take))
    else take(found)
  }
  return awaited.length === 0 ? digests : Promise.all(awaited).then(() => digests)
}

function activationRecord(activation: Activation, slopes: VectorRecord | undefined): ProductRecord['activation'] {
  if (activation.name === 'prelu') return { name: 'prelu', slopes: slopes! }
  return { ...activation }
}

export function shapeOf(tensor: number, { rows, cols, dtype }: TensorHandle) {
  return { tensor, rows, cols, dtype }
}
