// Holds the public weights and audits one program: node verifier.js <model.onnx> <address>
import { tcp } from '@tensor-assay/transport-tcp'
import { createVerifier, interactive, onnxWeights } from '@tensor-assay/verifier'

const [modelFile, address] = process.argv.slice(2)
if (modelFile === undefined || address === undefined) {
  throw new TypeError('usage: node verifier.js <model.onnx> <address, such as tcp://0.0.0.0:11234>')
}

const verifier = createVerifier({
  weights: await onnxWeights(modelFile),
  // Attention multiplies activations by activations, and texts of different lengths have no manifest in common.
  policy: interactive({ acceptActivations: true }),
})
const listener = await tcp().listen(address, async (channel) => {
  const { status, findings, coverage, statistics } = await verifier.accept(channel)
  const { audited, operations, activationProducts } = coverage
  console.log(`${status}: ${statistics.rows} rows of ${audited} products were checked, of ${operations} declared`)
  console.log(`${audited - activationProducts} by public weights, ${activationProducts} of activations`)
  for (const { reason, message } of findings) console.log(`${reason}: ${message}`)
  await listener.close()
})
console.log(`listening on ${listener.address}`)
