import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import * as ort from 'onnxruntime-node'
import { describe, expect, test, vi } from 'vitest'
import { auditedSessions, Instrumentation } from '../src/index.ts'
import type { CreateHandler, OrtBackend } from '../src/ort/library.ts'
import { backendOf, resolveBackend } from '../src/ort/resolve.ts'
import { mlp } from './models/index.ts'
import { contents, feedsFor, Recorder } from './support/ort.ts'
import { folderOf } from './support/temporary.ts'

const model = mlp()
const backend = backendOf(ort)
const instrumentation = Instrumentation.of(ort)

async function run(session: Awaited<ReturnType<typeof ort.InferenceSession.create>>): Promise<unknown> {
  return contents(await session.run(feedsFor(session, model.feeds)))
}

/** Whether the backend is as the library made it. */
function isUntouched(): boolean {
  return !Object.hasOwn(backend, 'createInferenceSessionHandler')
}

describe('everywhere', () => {
  test('instruments sessions of programs that know nothing of it, until it is undone as often as done', async () => {
    const plain = await run(await ort.InferenceSession.create(model.file))
    using recorder = new Recorder()
    const stopOne = instrumentation.everywhere()
    const stopTwo = instrumentation.everywhere()
    expect(isUntouched()).toBe(false)
    stopOne()
    stopOne()
    const session = await ort.InferenceSession.create(model.file)
    expect(await run(session)).toEqual(plain)
    expect(recorder.runs).toHaveLength(1)
    stopTwo()
    expect(isUntouched()).toBe(true)
    expect(await run(await ort.InferenceSession.create(model.file))).toEqual(plain)
    expect(recorder.runs).toHaveLength(1)
    // The session stays what it was made.
    expect(await run(session)).toEqual(plain)
    expect(recorder.runs).toHaveLength(2)
    expect(recorder.runs[0]!.session).toBe(recorder.runs[1]!.session)
  })

  test('importing the package changes nothing', () => {
    expect(isUntouched()).toBe(true)
  })

  test('and for chosen sessions at the same time: each session once', async () => {
    const stop = instrumentation.everywhere()
    using recorder = new Recorder()
    await run(await auditedSessions(ort).create(model.file))
    stop()
    expect(recorder.runs).toHaveLength(1)
    expect(isUntouched()).toBe(true)
  })

  test('of two copies of this package, the later one instruments, and not the sessions of the other', async () => {
    vi.resetModules()
    const { Instrumentation: Later } = await import('../src/index.ts')
    expect(Later).not.toBe(Instrumentation)
    const later: number[] = []
    Later.of(ort).observe({ run: ({ plan }) => later.push(plan.products.length), opaqueRun: () => later.push(0) })
    using recorder = new Recorder()
    const stops = [instrumentation.everywhere(), Later.of(ort).everywhere()]
    const session = await ort.InferenceSession.create(model.file)
    const plain = await run(session)
    expect(later).toEqual([3])
    expect(recorder.runs).toHaveLength(0)
    for (const stop of stops.reverse()) stop()
    expect(isUntouched()).toBe(true)
    expect(await run(await ort.InferenceSession.create(model.file))).toEqual(plain)
  })

  test('leaves a patch of somebody else alone', async () => {
    using recorder = new Recorder()
    const stop = instrumentation.everywhere()
    const ours = backend.createInferenceSessionHandler
    const theirs: CreateHandler = (source, options) => ours.call(backend, source, options)
    backend.createInferenceSessionHandler = theirs
    try {
      stop()
      expect(backend.createInferenceSessionHandler).toBe(theirs)
      await run(await ort.InferenceSession.create(model.file))
      expect(recorder.runs).toHaveLength(0)
      // Ours is still beneath theirs, so this needs no second patch.
      const stopAgain = instrumentation.everywhere()
      expect(backend.createInferenceSessionHandler).toBe(theirs)
      await run(await ort.InferenceSession.create(model.file))
      expect(recorder.runs).toHaveLength(1)
      backend.createInferenceSessionHandler = ours
      stopAgain()
      expect(isUntouched()).toBe(true)
    } finally {
      delete (backend as Partial<OrtBackend>).createInferenceSessionHandler
    }
  })
})

describe('auditedSessions', () => {
  test('instruments its own sessions and no others', async () => {
    using recorder = new Recorder()
    const [tapped, plain] = await Promise.all([
      auditedSessions(ort).create(model.file),
      ort.InferenceSession.create(model.file),
    ])
    expect(isUntouched()).toBe(true)
    await run(plain)
    expect(recorder.runs).toHaveLength(0)
    await run(tapped)
    expect(recorder.runs).toHaveLength(1)
    expect(tapped).toBeInstanceOf(ort.InferenceSession)
  })

  test('is undone when a session cannot be created', async () => {
    await expect(auditedSessions(ort).create(Uint8Array.of(1, 2, 3))).rejects.toThrow(/protobuf parsing failed/)
    await expect(auditedSessions(ort).create(7 as never)).rejects.toThrow(TypeError)
    expect(isUntouched()).toBe(true)
  })

  test('takes what the library takes', async () => {
    const { file } = model
    const path = `${folderOf({ 'model.onnx': file })}/model.onnx`
    const shifted = new Uint8Array(file.length + 9)
    shifted.set(file, 4)
    const plain = await run(await ort.InferenceSession.create(file))
    const { create } = auditedSessions(ort)
    using recorder = new Recorder()
    const sessions = [
      await create(path),
      await create(path, { intraOpNumThreads: 1 }),
      await create(shifted.buffer, 4, file.length),
      await create(shifted.buffer, 4, file.length, { executionMode: 'parallel' }),
      await create(shifted.subarray(4, 4 + file.length)),
    ]
    for (const session of sessions) expect(await run(session)).toEqual(plain)
    expect(recorder.runs.map(({ session }) => session.path)).toEqual([path, path, undefined, undefined, undefined])
  })
})

describe('observers', () => {
  test('are told of runs while they listen, and cannot break them', async () => {
    const session = await auditedSessions(ort).create(model.file)
    const plain = await run(session)
    const seen: string[] = []
    const observer = {
      run: () => {
        seen.push('run')
        throw new Error('an observer that fails')
      },
      opaqueRun: () => seen.push('opaque'),
    }
    const stops = [instrumentation.observe(observer), instrumentation.observe(observer)]
    expect(await run(session)).toEqual(plain)
    expect(seen).toEqual(['run', 'run'])
    stops[0]!()
    stops[0]!()
    await run(session)
    expect(seen).toHaveLength(3)
    stops[1]!()
    await run(session)
    expect(seen).toHaveLength(3)
  })
})

describe('finding the library', () => {
  test('through the module itself and through a module that uses it', () => {
    expect(Instrumentation.at(import.meta.url)).toBe(instrumentation)
    expect(Instrumentation.at(new URL(import.meta.url))).toBe(instrumentation)
    expect(backendOf({ default: ort })).toBe(backend)
    expect(backendOf(createRequire(import.meta.url)('onnxruntime-node'))).toBe(backend)
  })

  test('another copy is another library', () => {
    const backendFile =
      'exports.onnxruntimeBackend = { createInferenceSessionHandler() {} }; exports.listSupportedBackends = () => []'
    const folder = folderOf()
    const inside = `${folder}/node_modules/onnxruntime-node`
    mkdirSync(inside, { recursive: true })
    writeFileSync(
      `${inside}/index.js`,
      "module.exports = { listSupportedBackends: require('./backend').listSupportedBackends }",
    )
    writeFileSync(`${inside}/backend.js`, backendFile)
    const other = resolveBackend(pathToFileURL(`${folder}/program.mjs`))
    expect(other).not.toBe(backend)
    expect(backendOf(createRequire(`${folder}/`)('onnxruntime-node'))).toBe(other)
    expect(backendOf(ort)).toBe(backend)
  })

  test('says what is wrong', () => {
    expect(() => backendOf({})).toThrow(TypeError)
    expect(() => backendOf({ listSupportedBackends: () => [] })).toThrow(/inside of this onnxruntime-node/)
    const folder = folderOf()
    const unusable = (body: () => unknown, message: RegExp) => {
      expect(body).toThrow(message)
      expect(body).toThrow(expect.objectContaining({ code: 'backend-unusable' }))
    }
    unusable(() => resolveBackend(`${folder}/program.mjs`), /cannot be loaded from .*program.mjs: install it there/)
    mkdirSync(`${folder}/node_modules/onnxruntime-node`, { recursive: true })
    writeFileSync(`${folder}/node_modules/onnxruntime-node/index.js`, '')
    unusable(() => resolveBackend(`${folder}/program.mjs`), /has no backend.js beside it/)
    writeFileSync(`${folder}/node_modules/onnxruntime-node/backend.js`, 'exports.other = 1')
    unusable(() => resolveBackend(`${folder}/program.mjs`), /creates its sessions elsewhere/)
  })
})
