import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { mlp } from './models/index.ts'
import { folderOf } from './support/temporary.ts'

const entry = new URL('../src/index.ts', import.meta.url).href

/** Runs a program of its own until it exits by itself. */
async function run(program: string, environment: NodeJS.ProcessEnv = {}): Promise<{ stdout: string; stderr: string }> {
  const flags = ['--conditions=@tensor-assay/source', '--import=tsx', '--expose-gc', '--input-type=module']
  const { ORT_DISABLE_TELEMETRY: _, ...inherited } = process.env
  const options = { timeout: 50_000, env: { ...inherited, ...environment }, cwd: import.meta.dirname }
  return promisify(execFile)(process.execPath, [...flags, '--eval', program], options)
}

function program(model: string, body: string): string {
  return `
    import * as ort from 'onnxruntime-node'
    import { auditedSessions, Instrumentation } from '${entry}'
    const path = ${JSON.stringify(model)}
    const input = { x: new ort.Tensor('float32', new Float32Array(24), [1, 24]) }
    ${body}
  `
}

test('ONNX Runtime keeps no record to report home, even if it was imported first', async () => {
  const folder = folderOf({ 'model.onnx': mlp().file })
  const { stdout } = await run(
    program(
      join(folder, 'model.onnx'),
      `
      const session = await auditedSessions(ort).create(path)
      await session.run(input)
      console.log(process.env.ORT_DISABLE_TELEMETRY)
    `,
    ),
    { HOME: folder, XDG_CACHE_HOME: folder },
  )
  expect(stdout).toBe('1\n')
  // Where it records sessions, it does in a database below the user's cache folder.
  expect(readdirSync(folder)).toEqual(['model.onnx'])
})

test('whoever wants the reports may have them', async () => {
  const folder = folderOf({ 'model.onnx': mlp().file })
  const { stdout } = await run(
    program(join(folder, 'model.onnx'), `Instrumentation.of(ort); console.log(process.env.ORT_DISABLE_TELEMETRY)`),
    { ORT_DISABLE_TELEMETRY: '0' },
  )
  expect(stdout).toBe('0\n')
})

test('a program ends by itself, says nothing more than it did, and leaves no files', async () => {
  const folder = folderOf({ 'model.onnx': mlp().file })
  const temporary = folderOf()
  const { stdout, stderr } = await run(
    program(
      join(folder, 'model.onnx'),
      `
      const stop = Instrumentation.of(ort).everywhere()
      Instrumentation.of(ort).observe({ run: ({ plan }) => console.log(plan.products.length), opaqueRun() {} })
      const session = await ort.InferenceSession.create(path)
      await session.run(input)
    `,
    ),
    { TMPDIR: temporary },
  )
  expect({ stdout, stderr }).toEqual({ stdout: '3\n', stderr: '' })
  // The loader of TypeScript keeps a cache there.
  expect(readdirSync(temporary).filter((name) => name.startsWith('tensor-assay'))).toEqual([])
})

test('sessions that are forgotten, not released, do not keep files open', async () => {
  if (process.platform !== 'linux') {
    console.log('skipped: open files are counted in /proc')
    return
  }
  const folder = folderOf({ 'model.onnx': mlp().file })
  const { stdout } = await run(
    program(
      join(folder, 'model.onnx'),
      `
      const { readdirSync, readlinkSync } = await import('node:fs')
      const open = () => readdirSync('/proc/self/fd').filter((fd) => {
        try { return readlinkSync('/proc/self/fd/' + fd).includes('tensor-assay-') } catch { return false }
      }).length
      let sessions = []
      for (let i = 0; i < 5; i++) sessions.push(await auditedSessions(ort).create(path))
      const before = open()
      await sessions.pop().release()
      const released = open()
      sessions = undefined
      for (let i = 0; i < 50 && open() > 0; i++) {
        gc()
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      console.log(before, released, open())
    `,
    ),
  )
  expect(stdout).toBe('5 4 0\n')
})
