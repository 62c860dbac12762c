import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Backend,
  createProver,
  createReceiptProver,
  type Product,
  type ProverOptions,
  type ReceiptOptions,
  recordManifest,
  type Transport,
  type Verdict,
} from '@tensor-assay/core'
import { referenceBackend } from '@tensor-assay/core/testing'
import { tcp } from '@tensor-assay/transport-tcp'
import { memoryWeights } from '@tensor-assay/verifier'
import { onTestFinished } from 'vitest'

/** A model of two products, and files of its weights. */
const x = values(40 * 96, 1)
const first = values(96 * 64, 2)
const second = values(64 * 32, 3)

export const store = memoryWeights([
  { name: 'first', shape: [96, 64], data: first },
  { name: 'second', shape: [64, 32], data: second },
])

export const weightFiles = ['first.npy', 'second.npy']

/** A folder that goes with the test, with the weights and `more` in it. */
export async function folderOfWeights(more: Readonly<Record<string, Uint8Array | string>> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const files = { 'first.npy': npy([96, 64], first), 'second.npy': npy([64, 32], second), ...more }
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
  return folder
}

/** The model with a backend that sees it. A `cheat` changes the results that the prover shows. */
export function model({ cheat = false } = {}): { backend: Backend; run: () => void } {
  const { library, ...backend } = referenceBackend()
  const tensors = [
    library.tensor([40, 96], x),
    library.tensor([96, 64], first),
    library.tensor([64, 32], second),
  ] as const
  return {
    backend: cheat ? dishonest(backend) : backend,
    run() {
      library.matMul(library.matMul(tensors[0], tensors[1]), tensors[2])
    },
  }
}

export interface Session extends Partial<ProverOptions> {
  readonly transport?: Transport
  readonly cheat?: boolean
}

/** Runs the model under audit by whoever listens at `address`. */
export async function prove(address: string, { transport = tcp(), cheat, ...options }: Session = {}): Promise<Verdict> {
  const { backend, run } = model({ cheat: cheat === true })
  const prover = await createProver({ backend, channel: await transport.dial(address), ...options })
  await prover.audit(run)
  return prover.close()
}

export async function writeReceipt({ cheat = false, ...options }: { cheat?: boolean } & Partial<ReceiptOptions> = {}) {
  const { backend, run } = model({ cheat })
  const prover = await createReceiptProver({ backend, weights: store, iterations: 1000, ...options })
  await prover.audit(run)
  return prover.finish()
}

export async function writeManifest(): Promise<string> {
  const { backend, run } = model()
  return JSON.stringify(await recordManifest({ backend, weights: store, runs: [run] }))
}

/** Both weights in one `.safetensors` file. */
export function safetensors(): Uint8Array {
  const end = first.byteLength
  const header = JSON.stringify({
    first: { dtype: 'F32', shape: [96, 64], data_offsets: [0, end] },
    second: { dtype: 'F32', shape: [64, 32], data_offsets: [end, end + second.byteLength] },
  })
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  return Buffer.concat([length, Buffer.from(header), Buffer.from(first.buffer), Buffer.from(second.buffer)])
}

/** A `.npy` file of float32. */
export function npy(shape: readonly number[], data: Float32Array): Uint8Array {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')}), }\n`
  const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length, 0])
  return Buffer.concat([start, Buffer.from(header), Buffer.from(data.buffer, data.byteOffset, data.byteLength)])
}

/** The honest backend, whose results are shown 1% too large. */
function dishonest(backend: Backend): Backend {
  return {
    ...backend,
    intercept: (observer) =>
      backend.intercept({
        opaque: (opaque) => observer.opaque(opaque),
        product: (product) => observer.product({ ...product, c: enlarged(product.c) }),
      }),
  }
}

function enlarged(handle: Product['c']): Product['c'] {
  return {
    ...handle,
    key: {},
    async read(wanted, allocate) {
      const matrix = await handle.read(wanted, allocate)
      const { buffer, byteOffset, byteLength } = matrix.bytes
      const floats = new Float32Array(buffer, byteOffset, byteLength / 4)
      floats.set(floats.map((value) => 1.01 * value))
      return matrix
    },
  }
}

/** Reproducible values around 0. */
function values(length: number, seed: number): Float32Array {
  let state = seed
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  })
}
