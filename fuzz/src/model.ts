/**
 * A model small enough to be audited a thousand times a second.
 *
 * @module
 */
import { type Channel, createProver, createReceiptProver, encodeReceipt, type ReceiptOptions } from '@tensor-assay/core'
import { memoryTransport, referenceBackend } from '@tensor-assay/core/testing'
import { createVerifier, memoryWeights, type Policy } from '@tensor-assay/verifier'
import { join } from './damage.ts'
import { withFixedRandomness } from './fixed-randomness.ts'

const values = (length: number) => Float32Array.from({ length }, (_, i) => Math.sin(i + length))

/** What the verifiers of the targets hold: weights of products and of convolutions, vectors, and 8-bit ones. */
export const weights = memoryWeights([
  { name: 'filters', shape: [2, 2, 1, 3], data: values(12) },
  { name: 'filters, channels first', shape: [3, 1, 2, 2], data: values(12).reverse() },
  { name: 'dense', shape: [4, 5], data: values(20) },
  { name: 'out', shape: [5, 2], data: values(10) },
  { name: 'batched', shape: [3, 4, 2], data: values(24) },
  { name: 'bias 5', shape: [5], data: values(5) },
  { name: 'scalar', shape: [1], data: values(1) },
  { name: 'empty', shape: [0], data: values(0) },
  { name: 'long', shape: [64], data: values(64) },
  { name: 'int8', shape: [4, 5], data: Int8Array.from({ length: 20 }, (_, i) => i * 13) },
  { name: 'uint8 5', shape: [5], data: Uint8Array.of(0, 1, 127, 128, 255) },
  { name: 'int32', shape: [4, 5], data: Int32Array.from({ length: 20 }, (_, i) => i * 2 ** 24) },
  { name: 'int32 5', shape: [5], data: Int32Array.of(-1, 0, 1, 2 ** 30, -(2 ** 31)) },
  { name: 'not finite', shape: [4, 5], data: values(20).map((value, i) => (i % 7 === 0 ? Number.NaN : value)) },
  { name: 'float16', shape: [4, 5], dtype: 'float16', data: Uint16Array.from({ length: 20 }, (_, i) => i * 3001) },
])

const array = async (name: string) => {
  const weight = weights.weights.find((one) => one.name === name)!
  return { shape: weight.shape, data: new Float32Array((await weight.read()).buffer) }
}
const [filters, dense, out, bias] = await Promise.all(['filters', 'dense', 'out', 'bias 5'].map(array))

/** One step: a convolution, two layers with everything around them, one of which reads the other. */
function runModel({ library }: ReturnType<typeof referenceBackend>): void {
  const held = [filters!, dense!, out!, bias!].map(({ shape, data }) => library.tensor(shape, data))
  const image = library.tensor([1, 3, 3, 1], values(9))
  library.conv2d(image, held[0]!, { channelsLast: true })
  const x = library.tensor([3, 4], values(12))
  const hidden = library.matMul(x, held[1]!, { bias: held[3]!, activation: { name: 'relu' } })
  library.matMul(hidden, held[2]!)
}

/** An honest receipt, always the same. */
export function smallReceipt(options: Pick<ReceiptOptions, 'sampler' | 'iterations'>): Promise<Uint8Array> {
  return withFixedRandomness(async () => {
    const backend = referenceBackend()
    const prover = await createReceiptProver({ backend, weights, ...options })
    await prover.audit(() => runModel(backend))
    return prover.finish()
  })
}

/** What an honest prover sends in a session with this policy, always the same, one message after the other. */
export function smallSession(policy: Policy): Promise<Uint8Array> {
  return withFixedRandomness(async () => {
    const transport = memoryTransport()
    const verifier = createVerifier({ weights, policy })
    const listener = await transport.listen('memory:fuzz', (channel) => void verifier.accept(channel))
    const sent: Uint8Array[] = []
    const channel = taped(await transport.dial(listener.address), sent)
    const backend = referenceBackend()
    const prover = await createProver({ backend, channel })
    await prover.audit(() => runModel(backend))
    const verdict = await prover.close()
    await listener.close()
    if (verdict.status !== 'pass') throw new Error(`the honest session ended in ${JSON.stringify(verdict.findings)}`)
    return encodeReceipt(sent)
  })
}

function taped(channel: Channel, sent: Uint8Array[]): Channel {
  return {
    peer: channel.peer,
    maxMessageBytes: channel.maxMessageBytes,
    [Symbol.asyncIterator]: () => channel[Symbol.asyncIterator](),
    close: (options) => channel.close(options),
    abort: (error) => channel.abort(error),
    send(parts) {
      sent.push(join(...parts))
      return channel.send(parts)
    },
  }
}
