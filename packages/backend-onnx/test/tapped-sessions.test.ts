import * as ort from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import { auditedSessions } from '../src/index.ts'
import { generatedModels } from './models/index.ts'
import { sharedModels } from './models/shared.ts'
import { contents, feedsFor, levels, optionsAt, Recorder } from './support/ort.ts'
import { deviation } from './support/recompute.ts'

/**
 * Largest deviation over the sum of magnitudes. float32 sums of some hundred terms, where A is rounded to 8 bits inside
 * half a step of 1/127 on average.
 */
const tolerances = { float: 2e-6, integer: 1, 'quantised-blocks': 4e-3 } as const

for (const model of [...generatedModels, ...sharedModels()]) {
  describe(model.name, () => {
    for (const level of levels) {
      test(`at level ${level ?? 'not given'} the user's outputs are unchanged and every product is as stated`, async () => {
        using recorder = new Recorder((run) => {
          expect(run.plan.products.length + run.plan.opaque.length).toBeGreaterThan(0)
          for (const product of run.plan.products) {
            const { largest, layout } = deviation(product, run)
            const { arithmetic } = product.statement
            const bound =
              arithmetic === 'integer' && run.value(product.statement.c)!.type === 'float32'
                ? 2e-6
                : tolerances[arithmetic]
            if (!(largest <= bound))
              expect.fail(`${product.node}: ${largest} ${JSON.stringify({ layout, ...product })}`)
          }
        })
        const plain = await ort.InferenceSession.create(model.file, optionsAt(level))
        const tapped = await auditedSessions(ort).create(model.file, optionsAt(level))
        for (const name of ['inputNames', 'outputNames', 'inputMetadata', 'outputMetadata'] as const) {
          expect(tapped[name]).toEqual(plain[name])
        }
        const expected = contents(await plain.run(feedsFor(plain, model.feeds)))
        for (let i = 0; i < 2; i++) {
          const outputs = await tapped.run(feedsFor(tapped, model.feeds))
          expect(Object.keys(outputs)).toEqual(Object.keys(expected))
          expect(contents(outputs)).toEqual(expected)
        }
        for (const failure of recorder.failures) throw failure
        expect(recorder.opaqueRuns).toEqual([])
        expect(recorder.runs).toHaveLength(2)
        await plain.release()
        await tapped.release()
      })
    }
  })
}
