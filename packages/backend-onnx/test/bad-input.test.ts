import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bytesField, encodeModel, intField, join as joinBytes } from '@tensor-assay/onnx-model'
import * as ort from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import { auditedSessions } from '../src/index.ts'
import type { CreateHandler } from '../src/ort/library.ts'
import { backendOf } from '../src/ort/resolve.ts'
import { openSession } from '../src/session/open-session.ts'
import { mlp } from './models/index.ts'
import { bytesOf, Numbers, node, onnxFile } from './models/writer.ts'
import { contents, feedsFor, Recorder } from './support/ort.ts'
import { folderOf, temporaryFilesIn } from './support/temporary.ts'

const { create } = auditedSessions(ort)

describe('models that cannot be loaded', () => {
  const { file } = mlp()
  const unknown = onnxFile({
    nodes: [node('NoSuchOperator', ['x'], 'y')],
    inputs: [{ name: 'x', type: 'float32', dims: [1] }],
    outputs: [{ name: 'y', type: 'float32' }],
  })
  const sources: [string, Uint8Array | string][] = [
    ['another format', new TextEncoder().encode('%PDF-1.7')],
    ['no bytes', new Uint8Array(0)],
    ['cut off', file.subarray(0, file.length - 100)],
    ['an operator that does not exist', unknown],
    ['no file', '/no/such/model.onnx'],
  ]
  for (const [name, source] of sources) {
    test(`${name}: the error of the plain session`, async () => {
      const message = await ort.InferenceSession.create(source as string).catch((error: Error) => error.message)
      expect(message).toBeTypeOf('string')
      await expect(create(source as string)).rejects.toThrow(message as string)
    })
  }
})

/** x·w·vᵀ, with both weights in a file beside the model; vᵀ is folded into the model. */
function externalModel(): { file: Uint8Array; data: Uint8Array } {
  const size = 16
  const bytes = 4 * size * size
  const tensor = (name: string, offset: number) =>
    joinBytes([
      intField(1, size),
      intField(1, size),
      intField(2, 1),
      bytesField(8, name),
      ...Object.entries({ location: 'weights.bin', offset: `${offset}`, length: `${bytes}` }).map(([key, value]) =>
        bytesField(13, joinBytes([bytesField(1, key), bytesField(2, value)])),
      ),
      intField(14, 1),
    ])
  const model = encodeModel({
    irVersion: 8,
    opsets: { '': 17 },
    graph: {
      name: 'external',
      nodes: [
        node('MatMul', ['x', 'w'], 'h'),
        node('Transpose', ['v'], 'vt', { perm: [1n, 0n] }),
        node('MatMul', ['h', 'vt'], 'y'),
      ],
      inputs: [{ name: 'x', type: 'float32', dims: ['batch', size] }],
      outputs: [{ name: 'y', type: 'float32' }],
    },
  })
  const initializers = joinBytes([bytesField(5, tensor('w', 0)), bytesField(5, tensor('v', bytes))])
  return {
    file: joinBytes([model, bytesField(7, initializers)]),
    data: bytesOf(new Numbers(60).floats(2 * size * size)),
  }
}

describe('external data', () => {
  const { file, data } = externalModel()
  const x = new ort.Tensor('float32', new Numbers(61).floats(32), [2, 16])

  async function expectAudited(source: string | Uint8Array, options: Parameters<typeof create>[1] = {}): Promise<void> {
    const plain = await ort.InferenceSession.create(source as string, options)
    const tapped = await create(source as string, options)
    using recorder = new Recorder((run) => {
      const [first, second] = run.plan.products
      expect(run.value(first!.statement.b.value)!.bytes()).toEqual(data.subarray(0, 1024))
      expect(run.value(second!.statement.b.value)!.bytes()).toHaveLength(1024)
    })
    expect(contents(await tapped.run({ x }))).toEqual(contents(await plain.run({ x })))
    for (const failure of recorder.failures) throw failure
    expect(recorder.runs).toHaveLength(1)
    await tapped.release()
  }

  test('beside the model', async () => {
    const folder = folderOf({ 'model.onnx': file, 'weights.bin': data })
    await expectAudited(join(folder, 'model.onnx'))
  })

  test('in a folder that the options name', async () => {
    const folder = folderOf({ 'weights.bin': data })
    await expectAudited(file, { extra: { session: { model_external_initializers_file_folder_path: folder } } })
    await expectAudited(file, { extra: { 'session.model_external_initializers_file_folder_path': folder } })
  })

  test('in memory', async () => {
    await expectAudited(file, { externalData: [{ path: 'weights.bin', data }] })
  })

  test('missing: the error of the plain session', async () => {
    const folder = folderOf({ 'model.onnx': file })
    const path = join(folder, 'model.onnx')
    const message = await ort.InferenceSession.create(path).catch((error: Error) => error.message)
    expect(message).toMatch(/weights\.bin/)
    await expect(create(path)).rejects.toThrow(message as string)
  })

  test('removed behind the session: the run goes on, the weight cannot be read', async () => {
    const folder = folderOf({ 'model.onnx': file, 'weights.bin': data })
    const tapped = await create(join(folder, 'model.onnx'))
    rmSync(join(folder, 'weights.bin'))
    using recorder = new Recorder((run) => {
      expect(() => run.value('w')!.bytes()).toThrow(expect.objectContaining({ code: 'weights-unreadable' }))
    })
    await tapped.run({ x })
    for (const failure of recorder.failures) throw failure
    expect(recorder.runs).toHaveLength(1)
  })

  test('of a dump too large for one file', async () => {
    const folder = folderOf({ 'model.onnx': file, 'weights.bin': data })
    const backend = backendOf(ort)
    let dumps = 0
    const create: CreateHandler = async (source, options) => {
      const path = options?.optimizedModelFilePath
      if (path !== undefined && dumps++ === 0) {
        // What protobuf does beyond 2 GB.
        writeFileSync(path, 'part of a model')
        throw new Error('could not be written')
      }
      return backend.createInferenceSessionHandler(source, options)
    }
    const opened = await openSession(create, join(folder, 'model.onnx'), {})
    rmSync(join(folder, 'weights.bin'))
    expect(dumps).toBe(2)
    expect(opened.weights.tensor('w')!.bytes()).toEqual(data.subarray(0, 1024))
    const { y } = await opened.reader.runUnread(opened.handler, { x }, { y: null }, {})
    expect(y!.dims).toEqual([2, 16])
    opened.weights.close()
  })
})

describe('what cannot be instrumented', () => {
  test('runs as it would, and every run is reported as opaque', async () => {
    const { file, feeds } = mlp()
    const folder = folderOf()
    temporaryFilesIn(join(folder, 'missing'))
    const plain = await ort.InferenceSession.create(file)
    const tapped = await create(file)
    using recorder = new Recorder()
    for (const name of ['inputNames', 'outputNames', 'inputMetadata', 'outputMetadata'] as const) {
      expect(tapped[name]).toEqual(plain[name])
    }
    const expected = contents(await plain.run(feedsFor(plain, feeds)))
    expect(contents(await tapped.run(feedsFor(tapped, feeds)))).toEqual(expected)
    expect(recorder.runs).toEqual([])
    expect(recorder.opaqueRuns).toEqual([
      {
        session: { path: undefined, executionProviders: [] },
        reason: expect.stringMatching(/^the session could not be instrumented: ENOENT/),
      },
    ])
    await tapped.release()
    await expect(tapped.release()).rejects.toThrow('Session already disposed.')
  })
})
