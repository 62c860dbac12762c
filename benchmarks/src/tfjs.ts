import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { tfjs } from '@tensor-assay/backend-tfjs'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { startAuditor } from './auditor.ts'
import { hashing } from './controls.ts'
import { versionOf } from './machine.ts'
import { measureOverhead } from './overhead.ts'
import { overheadSection } from './overhead-section.ts'
import { measureParts } from './parts.ts'
import type { Suite } from './report.ts'
import { valuesOf } from './seeded.ts'
import type { Effort, Subject } from './subject.ts'
import { recomputing } from './tfjs-controls.ts'
import { dense, type Model, product, transformer } from './tfjs-models.ts'

interface Case {
  readonly model: Model
  readonly full: Effort
  /** Left out of a quick run where there is none. */
  readonly quick?: Effort
  /** Whether hashing can be told from noise here: it is about a fiftieth of a product of 4000³. */
  readonly showsHashing: boolean
}

const cases: readonly Case[] = [
  {
    model: product(400, 4000, 400),
    full: { rounds: 15, calls: 5, batch: 10 },
    quick: { rounds: 6, calls: 2, batch: 3 },
    showsHashing: true,
  },
  {
    model: product(1000, 1000, 1000),
    full: { rounds: 15, calls: 5, batch: 10 },
    quick: { rounds: 6, calls: 2, batch: 3 },
    showsHashing: true,
  },
  {
    model: product(4000, 4000, 4000),
    full: { rounds: 6, calls: 1, batch: 1 },
    showsHashing: false,
  },
  {
    model: dense({ depth: 6, width: 1024, batch: 256 }),
    full: { rounds: 15, calls: 3, batch: 5 },
    quick: { rounds: 6, calls: 1, batch: 2 },
    showsHashing: true,
  },
  {
    model: transformer({ depth: 2, width: 256, heads: 4, length: 128 }),
    full: { rounds: 15, calls: 10, batch: 20 },
    quick: { rounds: 6, calls: 5, batch: 10 },
    showsHashing: true,
  },
]

/** TensorFlow.js on WebAssembly with SIMD, in the prover's process; the verifier in another, over TCP. */
export const tfjsSuite: Suite = {
  name: 'tfjs-wasm',
  versions: {
    '@tensorflow/tfjs-core': versionOf('@tensorflow/tfjs-core'),
    '@tensorflow/tfjs-backend-wasm': versionOf('@tensorflow/tfjs-backend-wasm'),
  },
  async *run({ quick, wants, random, onProgress }) {
    setWasmPaths(`${dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))}/`)
    await tf.setBackend('wasm')
    if (!(await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT'))) throw new Error('this runtime has no SIMD in WebAssembly')
    for (const { model, full, quick: short, showsHashing } of cases) {
      const title = `tfjs-wasm: ${model.title}`
      const effort = quick ? short : full
      if (effort === undefined || !wants(title)) continue
      onProgress(title)
      const subject = subjectOf(model)
      await using auditor = await startAuditor(model.weights, model.acceptActivations)
      const result = await measureOverhead({
        subject,
        auditor,
        effort,
        controls: showsHashing ? [recomputing(), hashing(subject.backend)] : [recomputing()],
        random,
        onRound: (round) => onProgress(`${title}: ${round < 0 ? 'warming up' : `round ${round + 1}/${effort.rounds}`}`),
      })
      onProgress(`${title}: part by part`)
      const parts = await measureParts(subject, auditor.addresses.sink, Math.max(3, effort.rounds))
      yield overheadSection(title, result, parts)
    }
  },
}

export function subjectOf(model: Model): Subject {
  const { title, inputShape, weights, acceptActivations } = model
  const [rows, cols] = inputShape
  const values = valuesOf({ shape: inputShape, seed: 1000, scale: 1 })
  const compute = model.build()
  return {
    title,
    backend: tfjs(tf),
    weights,
    acceptActivations,
    prepare() {
      const input = tf.tensor2d(values, [rows, cols])
      let output: tf.Tensor | undefined
      return {
        run() {
          output = compute(input)
        },
        dispose() {
          input.dispose()
          output?.dispose()
        },
      }
    },
  }
}
