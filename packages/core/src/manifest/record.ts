import { bytesToHex } from '@noble/hashes/utils.js'
import type { Backend } from '../backend.ts'
import type { OperationRecord, ProductRecord } from '../codec/messages.ts'
import type { Product, TensorHandle } from '../product.ts'
import { digestVectors, productRecord, recorder } from '../prover/recorder.ts'
import { knownWeights } from '../prover/weights.ts'
import { shapeInLayout } from '../relation/shapes.ts'
import { type WeightStore, weightList } from '../weights.ts'
import { type Manifest, type ManifestOperation, type ManifestProduct, operandNames } from './manifest.ts'
import {
  commonRelation,
  type RecordedDerivation,
  type RecordedSource,
  relationOf,
  takeDown,
  withFreeBatches,
} from './relations.ts'

export interface RecordManifestOptions {
  readonly backend: Backend
  /**
   * Reference runs of one step each, on inputs of every shape that will be audited: what differs between them (a sequence
   * length, say) is left free, what does not is demanded.
   */
  readonly runs: readonly (() => unknown)[]
  /** Which B are weights: those of this store. */
  readonly weights: WeightStore
}

/**
 * Writes down what a trusted run of a public model executes.
 *
 * @throws {RangeError} If the runs execute different operations, which no list describes.
 *
 * @example
 * ```ts
 * const manifest = await recordManifest({ backend: tfjs(tf), weights, runs: [() => model.predict(tf.ones([1, 28, 28, 1]))] })
 * ```
 */
export async function recordManifest({ backend, runs, weights }: RecordManifestOptions): Promise<Manifest> {
  if (runs.length === 0) throw new RangeError('a manifest needs at least one run')
  let operations: ManifestOperation[] | undefined
  for (const run of runs) {
    const recorded = await record(backend, run, weights)
    operations = operations === undefined ? recorded : merge(operations, recorded)
  }
  return { format: 'tensor-assay-manifest', version: 1, operations: operations!.map(forAnyBatch) }
}

function forAnyBatch(operation: ManifestOperation): ManifestOperation {
  if (operation.kind === 'opaque' || operation.relations === undefined) return operation
  const relations: ManifestProduct['relations'] = {}
  for (const name of operandNames) {
    const relation = operation.relations[name]
    if (relation) relations[name] = withFreeBatches(relation)
  }
  return { ...operation, relations }
}

async function record(backend: Backend, run: () => unknown, store: WeightStore): Promise<ManifestOperation[]> {
  const weights = knownWeights(weightList(store))
  const numbers = new Map<object, number>()
  const records: Promise<RecordedOperation>[] = []
  let defect: unknown
  const numberOf = ({ key }: TensorHandle) => {
    const number = numbers.get(key) ?? numbers.size
    numbers.set(key, number)
    return number
  }
  const sink = {
    product(base: { sequence: number; step: number }, product: Product) {
      const identity = weights.identify(product.b)
      const vectors = digestVectors(product, weights)
      const { a, b, c, addend } = product
      const tensors = {
        a: numberOf(a),
        c: numberOf(c),
        b: numberOf(b),
        ...(addend && { addend: numberOf(addend) }),
      }
      const derivations = {
        a: takeDown(a.derivation?.(), weights),
        b: takeDown(b.derivation?.(), weights),
        addend: takeDown(addend?.derivation?.(), weights),
      }
      const stated = async () => {
        const digest = await identity
        const right = digest === undefined ? { tensor: tensors.b } : { digest }
        return { record: productRecord(base, product, await vectors, { ...tensors, b: right }), derivations }
      }
      records.push(stated())
    },
    opaque(opaque: OperationRecord) {
      records.push(Promise.resolve({ record: opaque, derivations: {} }))
    },
  }
  const observer = recorder(sink, { current: () => 0, upcoming: () => 0, next: () => undefined }, (error) => {
    defect ??= error
  })
  const interception = backend.intercept({ ...observer, wantsDerivations: true })
  try {
    await run()
  } finally {
    interception.restore()
  }
  if (defect !== undefined) throw defect
  return linked(await Promise.all(records), (key) => numbers.get(key), store)
}

interface RecordedOperation {
  readonly record: OperationRecord
  readonly derivations: { readonly [name in (typeof operandNames)[number]]?: RecordedDerivation | undefined }
}

/** The records as a manifest, with the tensors that they share and what is known of how others follow from each other. */
async function linked(
  recorded: readonly RecordedOperation[],
  numberOf: (key: object) => number | undefined,
  store: WeightStore,
): Promise<ManifestOperation[]> {
  const sources = new Map<number, RecordedSource>()
  const operations: ManifestOperation[] = []
  for (const [operation, { record, derivations }] of recorded.entries()) {
    const node = record.node === undefined ? {} : { node: record.node }
    if (record.kind === 'opaque') {
      operations.push({ kind: 'opaque', operation: record.operation, ...node })
      continue
    }
    const read: { readonly [name in (typeof operandNames)[number]]?: number } = {
      a: record.a,
      ...(record.b.kind === 'activation' && { b: record.b.tensor }),
      ...(record.addend !== undefined && { addend: record.addend }),
    }
    const links: ManifestProduct['links'] = {}
    const relations: ManifestProduct['relations'] = {}
    const before = new Map(sources)
    const sourceBefore = (key: object) => before.get(numberOf(key) ?? Number.NaN)
    for (const tensor of operandNames) {
      const number = read[tensor]
      if (number === undefined) continue
      const source = sources.get(number)
      if (source !== undefined) {
        links[tensor] = { operation: source.operation, tensor: source.tensor }
        continue
      }
      sources.set(number, { operation, tensor, shape: shapeInLayout(record.layout, tensor) })
      const derivation = derivations[tensor]
      const relation = derivation && (await relationOf(derivation, sourceBefore, store))
      if (relation) relations[tensor] = relation
    }
    sources.set(record.c, { operation, tensor: 'c', shape: shapeInLayout(record.layout, 'c') })
    const hasRelations = Object.keys(relations).length > 0
    operations.push({ ...expectation(record), ...node, links, ...(hasRelations && { relations }) })
  }
  return operations
}

function expectation(record: ProductRecord): Omit<ManifestProduct, 'links' | 'relations'> {
  const {
    operation,
    layout,
    b,
    addend,
    roundedBlocks,
    zeroPoints,
    alpha,
    scales,
    bias,
    beta,
    activation,
    zeroPoint,
    profile,
  } = record
  const hex = ({ digest }: { digest: Uint8Array }) => bytesToHex(digest)
  return {
    kind: 'product',
    operation,
    layout:
      layout.kind === 'matmul'
        ? { kind: 'matmul', k: layout.k, n: layout.n }
        : {
            kind: 'convolution',
            channelsLast: layout.channelsLast,
            groups: layout.groups,
            inChannels: layout.inChannels,
            outChannels: layout.outChannels,
            kernel: layout.kernel,
            strides: layout.strides,
            dilations: layout.dilations,
            padding: layout.padding,
          },
    b: b.kind === 'weight' ? { digest: hex(b), transposed: b.transposed } : null,
    ...(addend !== undefined && { addend: true }),
    ...(zeroPoints && { zeroPoints: { a: zeroPoints.a, ...(zeroPoints.b && { b: hex(zeroPoints.b) }) } }),
    ...(roundedBlocks !== undefined && { roundedBlocks }),
    alpha,
    ...(scales && { scales: hex(scales) }),
    ...(bias && { bias: hex(bias) }),
    ...(beta !== undefined && { beta }),
    activation: activation.name === 'prelu' ? { name: 'prelu', slopes: hex(activation.slopes) } : activation,
    ...(zeroPoint !== undefined && { zeroPoint }),
    profile,
  }
}

/** What both runs executed; what may differ and does is left free. */
function merge(first: readonly ManifestOperation[], second: readonly ManifestOperation[]): ManifestOperation[] {
  if (first.length !== second.length) {
    throw new RangeError(`one run executes ${first.length} operations, another ${second.length}`)
  }
  return first.map((a, i) => {
    const b = second[i]!
    const merged = a.kind === 'product' && b.kind === 'product' ? mergeProducts(a, b) : a
    const other = a.kind === 'product' && b.kind === 'product' ? mergeProducts(b, a) : b
    if (JSON.stringify(merged) !== JSON.stringify(other)) {
      throw new RangeError(`operation ${i} is ${JSON.stringify(a)} in one run and ${JSON.stringify(b)} in another`)
    }
    return merged
  })
}

function mergeProducts(a: ManifestProduct, b: ManifestProduct): ManifestProduct {
  const common = <T>(x: T, y: T): T | null => (JSON.stringify(x) === JSON.stringify(y) ? x : null)
  const layout =
    a.layout.kind === 'matmul' && b.layout.kind === 'matmul'
      ? { ...a.layout, k: common(a.layout.k, b.layout.k), n: common(a.layout.n, b.layout.n) }
      : a.layout.kind === 'convolution' && b.layout.kind === 'convolution'
        ? { ...a.layout, padding: common(a.layout.padding, b.layout.padding) }
        : a.layout
  const { relations: _own, ...rest } = a
  const relations = commonRelations(a, b)
  return {
    ...rest,
    ...(relations && { relations }),
    layout,
    alpha: common(a.alpha, b.alpha),
    ...(a.zeroPoints && b.zeroPoints && { zeroPoints: { ...a.zeroPoints, a: common(a.zeroPoints.a, b.zeroPoints.a) } }),
    ...(a.zeroPoint !== undefined && b.zeroPoint !== undefined && { zeroPoint: common(a.zeroPoint, b.zeroPoint) }),
  }
}

function commonRelations(a: ManifestProduct, b: ManifestProduct): ManifestProduct['relations'] {
  const relations: ManifestProduct['relations'] = {}
  for (const name of operandNames) {
    const [one, other] = [a.relations?.[name], b.relations?.[name]]
    const common = one && other && commonRelation(one, other)
    if (common) relations[name] = common
  }
  return Object.keys(relations).length > 0 ? relations : undefined
}
