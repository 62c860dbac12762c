// The verifier's process: holds the public weights, audits one scenario after the other, prints nothing but verdicts.
import { tcp } from '@tensor-assay/transport-tcp'
import { createVerifier, interactive, memoryWeights, spot, tfjsWeights } from '@tensor-assay/verifier'
import { bytesOf, scenarios, shapes, values } from './scenarios.js'

const [modelFile] = process.argv.slice(2)
const stores = {
  large: async () => productWeights(shapes.large),
  notebook: async () => productWeights(shapes.notebook),
  classifier: () => tfjsWeights(/** @type {string} */ (modelFile)),
}
/** @type {Record<string, Promise<import('@tensor-assay/core').WeightStore>>} */
const loaded = {}

/** @param {{ k: number, n: number }} shape */
function productWeights({ k, n }) {
  return memoryWeights([{ name: 'B', shape: [k, n], data: values(k * n, 2) }])
}

let next = 0
const listener = await tcp().listen('tcp://127.0.0.1:0', async (channel) => {
  const scenario = scenarios[next++]
  if (scenario === undefined) return channel.abort(new Error('there are no more scenarios'))
  const { model, mode } = scenario
  loaded[model] ??= stores[model]()
  const policy = mode === 'spot' ? spot() : interactive()
  const verifier = createVerifier({ weights: await loaded[model], policy })
  const shape = model === 'classifier' ? undefined : shapes[model]
  const inputs = shape
    ? [
        {
          rows: shape.m,
          cols: shape.k,
          dtype: /** @type {const} */ ('float32'),
          bytes: bytesOf(values(shape.m * shape.k, 1)),
        },
      ]
    : []
  const verdict = await verifier.accept(channel, { inputs })
  process.send?.({ verdict })
})
process.send?.({ address: listener.address })
process.on('disconnect', () => process.exit())
