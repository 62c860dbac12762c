// Holds the public weights and audits every prover that dials, or with --once the first one:
// node verifier.js <model.onnx> <address> [--once]
import { tcp } from '@tensor-assay/transport-tcp'
import { createVerifier, interactive, onnxWeights } from '@tensor-assay/verifier'

const [modelFile, address, option] = process.argv.slice(2)
if (modelFile === undefined || address === undefined) {
  throw new TypeError('usage: node verifier.js <model.onnx> <address, such as tcp://0.0.0.0:11234> [--once]')
}

const verifier = createVerifier({ weights: await onnxWeights(modelFile), policy: interactive() })
const listener = await tcp().listen(address, async (channel) => {
  const { status, findings, findingCount, coverage, statistics, detection } = await verifier.accept(channel)
  console.log(
    `${status}: ${statistics.rows} rows of ${coverage.audited} products were checked, ${findingCount} findings`,
  )
  const [worst] = findings
  if (worst) console.log(`in ${worst.operation ?? 'the session'}: ${worst.message}`)
  for (const { fraction, inOneOperation } of detection.byFraction) {
    const chance = `${(100 * inOneOperation).toFixed(1)}%`
    console.log(`${100 * fraction}% wrong rows in one product would have been noticed with a chance of ${chance}`)
  }
  if (option === '--once') await listener.close()
})
console.log(`listening on ${listener.address}`)
