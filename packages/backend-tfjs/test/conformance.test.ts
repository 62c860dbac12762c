import { backendConformance } from '@tensor-assay/core/conformance'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, test } from 'vitest'
import { tfjsHarness } from './harness.ts'

/** Results of TensorFlow.js 4.22 that are not A·B. A case that begins to pass here fails, and is to be taken from the list. */
const defects: Readonly<Record<string, readonly string[]>> = {
  cpu: [],
  // `_FusedMatMul` adds the bias once for each block of 48 terms where it does not use XNNPACK.
  wasm: ['a product is reported as what it was: a bias, B transposed'],
}

for (const [backendName, exact] of [
  ['cpu', false],
  ['cpu', true],
  ['wasm', false],
] as const) {
  const harness = await tfjsHarness(backendName, { exact })

  describe(`on ${backendName}${exact ? ', whose products are exact,' : ''} the backend keeps the contract of a backend`, () => {
    beforeAll(async () => {
      await tf.setBackend(backendName)
    })

    for (const { name, requires = [], run } of backendConformance) {
      const missing = requires.filter((capability) => !harness.capabilities.includes(capability))
      const reason = missing.length > 0 ? ` (not offered by TensorFlow.js: ${missing.join(', ')})` : ''
      if (defects[backendName]?.includes(name)) test.fails(`${name} (a defect of TensorFlow.js)`, () => run(harness))
      else test.skipIf(missing.length > 0)(`${name}${reason}`, () => run(harness))
    }
  })
}
