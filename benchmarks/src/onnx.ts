import { onnx } from '@tensor-assay/backend-onnx'
import * as ort from 'onnxruntime-node'
import { startAuditor } from './auditor.ts'
import { hashing } from './controls.ts'
import { versionOf } from './machine.ts'
import { encoder, type OnnxSubjectModel } from './onnx-models.ts'
import { measureOverhead } from './overhead.ts'
import { overheadSection } from './overhead-section.ts'
import { measureParts } from './parts.ts'
import type { Suite } from './report.ts'
import { valuesOf } from './seeded.ts'
import type { Control, Effort, Subject } from './subject.ts'

interface Case {
  readonly model: OnnxSubjectModel
  readonly full: Effort
  readonly quick: Effort
}

const cases: readonly Case[] = [
  {
    model: encoder({ layers: 12, width: 512, heads: 8, length: 128 }),
    full: { rounds: 15, calls: 5, batch: 10 },
    quick: { rounds: 6, calls: 2, batch: 3 },
  },
  {
    model: encoder({ layers: 12, width: 768, heads: 12, length: 128 }),
    full: { rounds: 15, calls: 5, batch: 10 },
    quick: { rounds: 6, calls: 1, batch: 2 },
  },
]

/** ONNX Runtime on the CPU with its own number of threads; the plain runs are those of a session that nobody touched. */
export const onnxSuite: Suite = {
  name: 'onnx',
  versions: { 'onnxruntime-node': versionOf('onnxruntime-node') },
  async *run({ quick, wants, random, onProgress }) {
    for (const { model, full, quick: short } of cases) {
      const title = `onnx: ${model.title}`
      if (!wants(title)) continue
      const effort = quick ? short : full
      onProgress(title)
      await using opened = await openSubject(model)
      await using auditor = await startAuditor(model.weights, true)
      const result = await measureOverhead({
        subject: opened.subject,
        auditor,
        effort,
        controls: [opened.runningTwice, hashing(opened.subject.backend)],
        random,
        onRound: (round) => onProgress(`${title}: ${round < 0 ? 'warming up' : `round ${round + 1}/${effort.rounds}`}`),
      })
      onProgress(`${title}: part by part`)
      const parts = await measureParts(opened.subject, auditor.addresses.sink, Math.max(3, effort.rounds))
      yield overheadSection(title, result, parts)
    }
  },
}

interface OpenedSubject extends AsyncDisposable {
  readonly subject: Subject
  /** A control: each run is done a second time, as by a hook that has nothing but the inputs. */
  readonly runningTwice: Control
}

export async function openSubject({ title, inputShape, weights, build }: OnnxSubjectModel): Promise<OpenedSubject> {
  const file = build()
  const plain = await ort.InferenceSession.create(file)
  const backend = onnx(ort)
  const auditable = await ort.InferenceSession.create(file)
  const values = valuesOf({ shape: inputShape, seed: 1000, scale: 1 })
  let times = 1
  return {
    subject: {
      title,
      backend,
      weights,
      acceptActivations: true,
      prepare(as) {
        const session = as === 'plain' ? plain : auditable
        const x = new ort.Tensor('float32', values.slice(), [...inputShape])
        return {
          async run() {
            for (let i = 0; i < times; i++) await session.run({ x })
          },
          dispose() {},
        }
      },
    },
    runningTwice: {
      name: 'run twice',
      atLeast: 0.5,
      of: 'plain',
      install() {
        times = 2
        return () => {
          times = 1
        }
      },
    },
    async [Symbol.asyncDispose]() {
      backend.restore()
      await plain.release()
      await auditable.release()
    },
  }
}
