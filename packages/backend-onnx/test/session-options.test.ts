import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { bytesSource, readModel } from '@tensor-assay/onnx-model'
import * as ort from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import { auditedSessions } from '../src/index.ts'
import { changedOptions, isOwnSession } from '../src/ort/session-options.ts'
import { privateFolder } from '../src/session/private-folder.ts'
import { generatedModels } from './models/index.ts'
import { contents, feedsFor, type Options, Recorder } from './support/ort.ts'
import { folderOf, temporaryFilesIn } from './support/temporary.ts'

const { create } = auditedSessions(ort)
const model = generatedModels.find(({ name }) => name === 'cnn')!
const quiet: Options = { logSeverityLevel: 3 }

describe('options of the session', () => {
  const options: Options[] = [
    { executionProviders: ['cpu'] },
    { executionProviders: [{ name: 'cpu' }] },
    { executionMode: 'parallel', interOpNumThreads: 2 },
    { intraOpNumThreads: 1 },
    { enableMemPattern: false, enableCpuMemArena: false },
    { preferredOutputLocation: 'cpu' },
    { preferredOutputLocation: { y: 'cpu' } },
    { extra: { session: { set_denormal_as_zero: '1' } } },
    { extra: { optimization: { disable_specified_optimizers: 'NchwcTransformer;ConvActivationFusion' } } },
  ]
  for (const option of options) {
    test(`${JSON.stringify(option)} holds`, async () => {
      const plain = await ort.InferenceSession.create(model.file, { ...quiet, ...option })
      const tapped = await create(model.file, { ...quiet, ...option })
      using recorder = new Recorder()
      const expected = contents(await plain.run(feedsFor(plain, model.feeds)))
      expect(contents(await tapped.run(feedsFor(tapped, model.feeds)))).toEqual(expected)
      expect(recorder.runs).toHaveLength(1)
      const operations = recorder.runs[0]!.plan.products.map(({ operation }) => operation)
      const hasFusions = operations.some((operation) => operation.startsWith('com.microsoft'))
      // A fusion that the user turned off stays off.
      expect(hasFusions).toBe(!('optimization' in (option.extra ?? {})))
    })
  }

  test('inherited from an object of the user, and untouched in it', async () => {
    class Defaults {
      get graphOptimizationLevel() {
        return 'basic' as const
      }
    }
    const own = Object.assign(Object.create(new Defaults()), quiet) as Options
    using recorder = new Recorder()
    const tapped = await create(model.file, own)
    await tapped.run(feedsFor(tapped, model.feeds))
    expect(recorder.runs[0]!.plan.products.map(({ operation }) => operation)).toContain('Conv')
    expect(Object.keys(own)).toEqual(['logSeverityLevel'])
  })

  test('refused by ONNX Runtime are refused in the same words', async () => {
    for (const option of [
      { extra: undefined },
      { graphOptimizationLevel: 'wrong' },
      { preferredOutputLocation: { z: 'cpu' } },
    ]) {
      const bad = { ...quiet, ...option } as Options
      const message = await ort.InferenceSession.create(model.file, bad).catch((error: Error) => error.message)
      expect(message).toBeTypeOf('string')
      await expect(create(model.file, bad)).rejects.toThrow(message as string)
    }
  })

  test('that ask for the optimised model give that of the plain session', async () => {
    const folder = folderOf()
    const [mine, theirs] = [join(folder, 'mine.onnx'), join(folder, 'theirs.onnx')]
    await ort.InferenceSession.create(model.file, { ...quiet, optimizedModelFilePath: theirs })
    await create(model.file, { ...quiet, optimizedModelFilePath: mine })
    // The order of attributes differs from one file to the next.
    const nodesOf = (path: string) => {
      const { graph } = readModel(bytesSource(new Uint8Array(readFileSync(path))))
      return graph.nodes.map(({ opType, inputs, outputs }) => ({ opType, inputs, outputs }))
    }
    expect(nodesOf(mine)).toEqual(nodesOf(theirs))
    expect(nodesOf(mine).length).toBeGreaterThan(5)
  })

  test('that ask for a profile give one', async () => {
    const folder = folderOf()
    const profile = { enableProfiling: true, profileFilePrefix: join(folder, 'profile') }
    const tapped = await create(model.file, { ...quiet, ...profile })
    await tapped.run(feedsFor(tapped, model.feeds))
    tapped.endProfiling()
    await tapped.release()
    const files = readdirSync(folder)
    expect(files).toHaveLength(1)
    expect(readFileSync(join(folder, files[0]!), 'utf8')).toContain('Conv')
  })
})

describe('changedOptions', () => {
  test('shows what is changed, hides what is taken away, and leaves the rest', () => {
    const user = { graphOptimizationLevel: 'all', enableProfiling: true, logSeverityLevel: 2 }
    const changed = changedOptions(user, { graphOptimizationLevel: 'disabled', enableProfiling: undefined })
    expect(changed.graphOptimizationLevel).toBe('disabled')
    expect('enableProfiling' in changed).toBe(false)
    expect(changed.logSeverityLevel).toBe(2)
    expect('extra' in changed).toBe(false)
    expect(isOwnSession(changed)).toBe(true)
    expect(isOwnSession(user)).toBe(false)
  })
})

describe('temporary files', () => {
  test('are private and gone when the session is there', async () => {
    const folder = folderOf()
    temporaryFilesIn(folder)
    const { path, remove } = privateFolder()
    if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o700)
    remove()
    using recorder = new Recorder()
    const tapped = await create(model.file, quiet)
    expect(readdirSync(folder)).toEqual([])
    await expect(create(Uint8Array.of(1))).rejects.toThrow()
    expect(readdirSync(folder)).toEqual([])
    // Weights are still there to be read.
    await tapped.run(feedsFor(tapped, model.feeds))
    const run = recorder.runs[0]!
    expect(run.value('head')!.bytes()).toHaveLength(343 * 10 * 4)
    await tapped.release()
    expect(() => run.value('head')!.bytes()).toThrow(/read after it had been closed/)
  })
})
