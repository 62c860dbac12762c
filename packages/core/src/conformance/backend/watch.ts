import { weightDigest } from '../../commitment/weight.ts'
import type { Matrix } from '../../matrix.ts'
import type { OpaqueOperation, Product, StoredTensor, TensorHandle } from '../../product.ts'
import { assert } from '../assert.ts'
import type { BackendHarness } from '../backend.ts'
import type { PlainTensor, Program } from './program.ts'

/** A product and everything that its handles gave while it was observed. */
export interface SeenProduct {
  readonly product: Product
  readonly a: Matrix
  readonly b: Matrix
  readonly c: Matrix
  readonly addend?: Matrix
  readonly stored: Stored
  readonly bias?: Stored
  readonly slopes?: Stored
}

/** A whole tensor by the identity of its bytes. */
export interface Stored {
  readonly key: object
  readonly digest: string
}

export interface Watched {
  readonly results: readonly PlainTensor[]
  readonly seen: readonly SeenProduct[]
  readonly opaque: readonly OpaqueOperation[]
}

/** Runs a program within an interception of its own, which ends whatever happens. */
export async function watch(harness: BackendHarness, program: Program): Promise<Watched> {
  const watching = watcher()
  const interception = harness.backend.intercept(watching.observer)
  try {
    const results = await harness.run(program)
    return { results, ...(await watching.taken()) }
  } finally {
    interception.restore()
  }
}

/** An observer that reads every product whole. */
export function watcher() {
  const seen: Promise<SeenProduct>[] = []
  const opaque: OpaqueOperation[] = []
  return {
    observer: {
      product(product: Product) {
        const reading = readProduct(product)
        // Whoever asks for what was taken is told; a case that fails before does not ask.
        reading.catch(() => undefined)
        seen.push(reading)
      },
      opaque: (operation: OpaqueOperation) => void opaque.push(operation),
    },
    get products() {
      return seen.length
    },
    taken: async () => ({ seen: await Promise.all(seen), opaque }),
  }
}

/** Everything is asked for before the first await, as a handle may be read while the product is observed only. */
async function readProduct(product: Product): Promise<SeenProduct> {
  const { a, b, c, addend, epilogue } = product
  const { activation, bias } = epilogue
  const matrices = [readWhole(a), readWhole(b), readWhole(c), addend && readWhole(addend)] as const
  const vectors = [
    storedOf(b.stored()),
    bias && storedOf(bias.stored()),
    activation.name === 'prelu' ? storedOf(activation.slopes.stored()) : undefined,
  ] as const
  const [readA, readB, readC, readAddend] = await Promise.all(matrices)
  const [stored, storedBias, slopes] = await Promise.all(vectors)
  return {
    product,
    a: readA,
    b: readB,
    c: readC,
    ...(readAddend === undefined ? {} : { addend: readAddend }),
    stored,
    ...(storedBias === undefined ? {} : { bias: storedBias }),
    ...(slopes === undefined ? {} : { slopes }),
  }
}

function readWhole(handle: TensorHandle): Matrix | Promise<Matrix> {
  return handle.read(undefined, dirtyMemory)
}

/** Memory as a prover supplies it: used before. */
export function dirtyMemory(bytes: number): Uint8Array {
  return new Uint8Array(bytes).fill(0xa5)
}

/** Hashed at once where the bytes are at hand: the view may not be kept. */
function storedOf(stored: StoredTensor | Promise<StoredTensor>): Stored | Promise<Stored> {
  if (stored instanceof Promise) return stored.then(storedOf)
  return { key: stored.key, digest: weightDigest(stored.dtype, stored.bytes) }
}

export function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

/** The only product that was seen. */
export function only({ seen, opaque }: Pick<Watched, 'seen' | 'opaque'>): SeenProduct {
  const reported = [...seen.map(({ product }) => product.operation), ...opaque.map(({ operation }) => operation)]
  assert(
    seen.length === 1 && opaque.length === 0,
    `expected one product to be reported, got ${reported.length}: ${reported.join(', ') || 'nothing'}`,
  )
  return seen[0]!
}
