import { bytesSource, readModel } from '@tensor-assay/onnx-model'
import * as ort from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import { auditedSessions } from '../src/index.ts'
import type { OrtHandler, OrtTensor, OrtValues } from '../src/ort/library.ts'
import type { OpenedSession } from '../src/session/open-session.ts'
import type { TappedRun } from '../src/session/session-observer.ts'
import { tappedHandler } from '../src/session/tapped-handler.ts'
import { noGathers } from '../src/taps/gathers.ts'
import { TapReader } from '../src/taps/tap-reader.ts'
import { generatedModels, mlp, transformer } from './models/index.ts'
import { onnxFile } from './models/writer.ts'
import { contents, feedsFor, Recorder } from './support/ort.ts'
import { deviation } from './support/recompute.ts'

const { create } = auditedSessions(ort)

describe('runs of one session', () => {
  test('at the same time keep their values apart', async () => {
    const model = transformer({ layers: 1 })
    const plain = await ort.InferenceSession.create(model.file)
    const tapped = await create(model.file)
    const inputs = [1, 2, 3, 4].map((factor) => {
      const { data, dims } = model.feeds.x!
      return {
        x: new ort.Tensor(
          'float32',
          Float32Array.from(data as Float32Array, (v) => v * factor),
          dims,
        ),
      }
    })
    using recorder = new Recorder((run) => {
      // A, which came with the call, and C, which was computed, belong together.
      for (const product of run.plan.products) expect(deviation(product, run).largest).toBeLessThan(2e-6)
    })
    const together = await Promise.all(inputs.map((feeds) => tapped.run(feeds)))
    for (const failure of recorder.failures) throw failure
    expect(recorder.runs.map(({ feeds }) => feeds)).toEqual(inputs)
    for (const [i, feeds] of inputs.entries()) {
      expect(contents(together[i]!)).toEqual(contents(await plain.run(feeds)))
    }
  })

  test('are rejected when it is released meanwhile, as without us', async () => {
    const model = mlp()
    for (const make of [ort.InferenceSession.create.bind(ort.InferenceSession), create]) {
      using recorder = new Recorder()
      const session = await make(model.file)
      const feeds = feedsFor(session, model.feeds)
      const run = session.run(feeds)
      await session.release()
      await expect(run).rejects.toThrow('Session already disposed.')
      await expect(session.run(feeds)).rejects.toThrow('Session already disposed.')
      await expect(session.release()).rejects.toThrow('Session already disposed.')
      expect(recorder.runs).toEqual([])
      expect(recorder.opaqueRuns).toEqual([])
    }
  })

  test('fail with the error of the plain session', async () => {
    const model = mlp()
    const wrong = { x: new ort.Tensor('float32', new Float32Array(5), [1, 5]) }
    const plain = await ort.InferenceSession.create(model.file)
    const expected = await plain.run(wrong).catch((error: Error) => error.message)
    using recorder = new Recorder()
    const tapped = await create(model.file)
    await expect(tapped.run(wrong)).rejects.toThrow(expected as string)
    await expect(tapped.run({})).rejects.toThrow("input 'x' is missing in 'feeds'")
    expect([...recorder.runs, ...recorder.opaqueRuns]).toEqual([])
  })

  test('give the outputs that are asked for', async () => {
    const model = generatedModels.find(({ name }) => name === 'derived weights')!
    const plain = await ort.InferenceSession.create(model.file)
    const tapped = await create(model.file)
    const feeds = feedsFor(plain, model.feeds)
    using recorder = new Recorder()
    for (const fetches of [['y2'], ['y4', 'y1']]) {
      const outputs = await tapped.run(feeds, fetches)
      expect(contents(outputs)).toEqual(contents(await plain.run(feeds, fetches)))
      expect(Object.keys(outputs)).toEqual(Object.keys(await plain.run(feeds, fetches)))
    }
    // Outputs of the model that were not asked for are read all the same: they are results of products.
    const run = recorder.runs[0]!
    expect(Object.keys(run.outputs)).toEqual(['y2'])
    expect(run.plan.products.map(({ statement }) => run.value(statement.c)?.dims)).toEqual(new Array(5).fill([3, 4]))
  })

  test('write into tensors that the caller provides', async () => {
    const model = mlp()
    const tapped = await create(model.file)
    const plain = await ort.InferenceSession.create(model.file)
    using recorder = new Recorder()
    const written = await Promise.all(
      [plain, tapped].map(async (session) => {
        const y = new ort.Tensor('float32', new Float32Array(40), [5, 8])
        await session.run(feedsFor(session, model.feeds), { y })
        return contents({ y })
      }),
    )
    expect(written[1]).toEqual(written[0])
    expect(recorder.runs).toHaveLength(1)
  })

  test('see each value once, and weights as the same object in every run', async () => {
    const model = transformer({ layers: 1 })
    const tapped = await create(model.file)
    using recorder = new Recorder()
    for (let i = 0; i < 2; i++) await tapped.run(feedsFor(tapped, model.feeds))
    const [first, second] = recorder.runs as [TappedRun, TappedRun]
    for (const { statement } of first.plan.products) {
      expect(first.value(statement.c)).toBe(first.value(statement.c))
      expect(first.value(statement.c)).not.toBe(second.value(statement.c))
      const { b } = statement
      if (first.plan.origin(b.value) === 'initializer') expect(first.value(b.value)).toBe(second.value(b.value))
    }
    expect(first.value('no such value')).toBeUndefined()
  })
})

/** A session of nothing but what it was asked. */
function fakeSession(run: OrtHandler['run']) {
  const values = { a: 'input', w: 'initializer', h: 'computed', k: 'constant', y: 'computed' } as const
  const plan: OpenedSession['plan'] = {
    products: [],
    opaque: [],
    taps: ['h', 'y'],
    constants: ['k'],
    added: [],
    origin: (value) => values[value as keyof typeof values],
    model: readModel(bytesSource(onnxFile({}))),
    producer: () => undefined,
  }
  const handler = { run, dispose: async () => {} } as unknown as OrtHandler
  const face = { inputNames: ['a'], outputNames: ['y'], inputMetadata: [], outputMetadata: [] }
  const told: unknown[] = []
  const sink = {
    isWanted: true,
    run: (report: TappedRun) => void told.push(report),
    opaqueRun: (report: unknown) => void told.push(report),
  }
  const weights = { tensor: () => undefined, close: () => {} } as unknown as OpenedSession['weights']
  const reader = new TapReader(plan, noGathers, face.outputNames)
  const session = { path: undefined, executionProviders: [] }
  const tapped = tappedHandler({ handler, face, plan, reader, weights, filterBlock: 0 }, session, sink)
  return { tapped, sink, told, reader }
}

describe('fetched taps', () => {
  const tensor = (value: number): OrtTensor => ({
    type: 'float32',
    dims: [1],
    location: 'cpu',
    data: Float32Array.of(value),
  })
  const results: OrtValues = { y: tensor(1), h: tensor(2), k: tensor(3) }

  test('declare each value once, and not those that are outputs already', () => {
    const { reader } = fakeSession(async () => results)
    expect(reader.addition.outputs).toEqual([{ name: 'h' }, { name: 'k' }])
  })

  test('are not fetched while nobody observes', async () => {
    const asked: object[] = []
    const { tapped, sink, told } = fakeSession(async (_feeds, fetches) => {
      asked.push(fetches)
      return results
    })
    sink.isWanted = false
    const fetches = { y: null }
    await tapped.run({}, fetches, {})
    expect(asked[0]).toBe(fetches)
    sink.isWanted = true
    await tapped.run({}, fetches, {})
    await tapped.run({}, fetches, {})
    // Constants once, and the user's own request as it was.
    expect(asked.slice(1)).toEqual([
      { y: null, h: null, k: null },
      { y: null, h: null },
    ])
    expect(fetches).toEqual({ y: null })
    const runs = told as TappedRun[]
    expect(runs).toHaveLength(2)
    for (const run of runs) expect(new Float32Array(run.value('k')!.bytes().slice().buffer)).toEqual(Float32Array.of(3))
  })

  test('hand on the very objects that the library returned', async () => {
    const { tapped } = fakeSession(async () => results)
    const outputs = await tapped.run({}, { y: null }, {})
    expect(Object.entries(outputs)).toEqual([['y', results.y]])
    expect(outputs.y).toBe(results.y)
  })

  test('that fail do not take the run with them', async () => {
    const { tapped, told } = fakeSession(async (_feeds, fetches) => {
      if ('h' in fetches) throw new Error('no memory for h')
      return { y: results.y! }
    })
    expect(await tapped.run({}, { y: null }, {})).toEqual({ y: results.y })
    expect(told).toEqual([
      {
        session: { path: undefined, executionProviders: [] },
        reason: 'its values could not be read: no memory for h',
      },
    ])
  })

  test('on a device or of text are not given', async () => {
    const strange = { ...results, h: { ...tensor(2), location: 'gpu-buffer' }, k: { ...tensor(3), data: ['text'] } }
    const { tapped, told } = fakeSession(async () => strange)
    await tapped.run({ a: tensor(4) }, { y: null }, {})
    const [run] = told as TappedRun[]
    expect(run!.value('h')).toBeUndefined()
    expect(run!.value('k')).toBeUndefined()
    expect(run!.value('a')?.dims).toEqual([1])
  })
})
