import * as ort from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { auditedSessions } from '../src/index.ts'
import { generatedModels } from './models/index.ts'
import { contents, feedsFor, type Options, Recorder } from './support/ort.ts'
import { deviation } from './support/recompute.ts'

const options: Options = { executionProviders: ['webgpu'], logSeverityLevel: 3 }
const names = ['mlp', 'gemm', 'matmul shapes', 'cnn', 'convolution shapes', 'residual', 'int8 qdq cnn']
const models = generatedModels.filter(({ name }) => names.includes(name))

/** Why WebGPU cannot be used here: usually because there is no Vulkan driver. A software one is enough. */
async function problem(): Promise<string | undefined> {
  try {
    await (await ort.InferenceSession.create(models[0]!.file, options)).release()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

test('on WebGPU the outputs are unchanged and every product is as stated', async () => {
  const missing = await problem()
  if (missing !== undefined) return console.log(`skipped: ${missing}`)
  for (const model of models) {
    const plain = await ort.InferenceSession.create(model.file, options)
    const tapped = await auditedSessions(ort).create(model.file, options)
    using recorder = new Recorder((run) => {
      expect(run.session.executionProviders).toEqual(['webgpu'])
      expect(run.plan.products.length).toBeGreaterThan(0)
      for (const product of run.plan.products) {
        const { largest } = deviation(product, run)
        if (!(largest < 5e-6)) expect.fail(`${model.name}, ${product.node}: ${largest}`)
      }
    })
    const expected = contents(await plain.run(feedsFor(plain, model.feeds)))
    expect(contents(await tapped.run(feedsFor(tapped, model.feeds)))).toEqual(expected)
    for (const failure of recorder.failures) throw failure
    expect(recorder.runs).toHaveLength(1)
    await plain.release()
    await tapped.release()
  }
})
