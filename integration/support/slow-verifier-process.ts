// A prover whose verifier reads nothing while the model runs, and everything afterwards; both in this
// process. Sends how much memory was held at most, and the verdict.
import { setImmediate } from 'node:timers/promises'
import { createProver } from '@tensor-assay/core'
import { memoryTransport } from '@tensor-assay/core/testing'
import { createVerifier, interactive, memoryWeights, spot } from '@tensor-assay/verifier'
import { gatedChannel } from './gated-channel.ts'
import { multiply, type Plain, plain, plainLibrary } from './plain-backend.ts'
import { normal, stream } from './random.ts'

const [mode, bound, products] = process.argv.slice(2)
const [m, k, n] = [32, 256, 256]
const random = stream('slow verifier')
const a = plain(m, k, () => normal(random))
const b = plain(k, n, () => normal(random))
const c = multiply(a, b)
// A tensor of its own for each product, as a run has, which the library forgets at once.
const copy = (tensor: Plain): Plain => ({ ...tensor, data: tensor.data.slice() })
const library = plainLibrary(undefined, () => copy(c))

const transport = memoryTransport({ maxBufferedBytes: 64 * 1024 })
const weights = memoryWeights([{ name: 'b', shape: [k, n], data: b.data }])
const verifier = createVerifier({ weights, policy: mode === 'spot' ? spot() : interactive() })
let open = () => {}
const listener = await transport.listen('memory:slow', async (channel) => {
  // It reads the hello and the opening of the session.
  const gated = gatedChannel(channel, 2)
  open = gated.open
  await verifier.accept(gated.channel)
})
const prover = await createProver({
  backend: library.backend,
  channel: await transport.dial(listener.address),
  maxRetainedBytes: Number(bound),
})

const held = () => {
  gc!()
  return process.memoryUsage().arrayBuffers
}
const before = held()
let most = 0
await prover.audit(async () => {
  for (let i = 0; i < Number(products); i++) {
    library.matMul(copy(a), b)
    await setImmediate()
    if (i % 20 === 0) most = Math.max(most, held() - before)
  }
})
open()
const verdict = await prover.close()
await listener.close()
process.send?.({ result: { heldBytes: most, verdict } })
process.disconnect?.()
