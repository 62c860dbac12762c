import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, linkSync, mkdirSync, readdirSync, realpathSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Channel, Verdict } from '@tensor-assay/core'
import { tcp } from '@tensor-assay/transport-tcp'
import { ws } from '@tensor-assay/transport-ws'
import { createVerifier, onnxWeights, type VerifierOptions } from '@tensor-assay/verifier'
import { onTestFinished } from 'vitest'
import { mlp } from '../models/index.ts'
import { folderOf } from './temporary.ts'

const register = new URL('../../src/register.ts', import.meta.url).href
const library = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'))

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly process: ChildProcess
  readonly ended: Promise<Ended>
}

export interface Program {
  readonly folder: string
  /** Path of the model. */
  readonly model: string
  /** Starts it without anything of ours. */
  plain(): Running
  /** Starts it where the sources of this repository can be loaded, without the flag. */
  loaded(): Running
  /** Starts it with the flag, and these variables. */
  registered(environment: Readonly<Record<string, string>>, ...flags: readonly string[]): Running
}

/** A copy of `onnxruntime-node` that Node takes for another one. Its large files are linked where they can be. */
export function copyOfLibrary(to: string): void {
  const common = join(dirname(realpathSync(library)), 'onnxruntime-common')
  copyFolder(realpathSync(library), to)
  copyFolder(common, join(to, 'node_modules/onnxruntime-common'))
}

function copyFolder(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) copyFolder(source, target)
    // The binding has to be another file: the same one is not loaded twice.
    else if (source.endsWith('.node') || !linked(source, target)) copyFileSync(source, target)
  }
}

function linked(source: string, target: string): boolean {
  try {
    linkSync(source, target)
    return true
  } catch {
    // Another file system.
    return false
  }
}

/** A program in a folder of its own, with `model.onnx` and `onnxruntime-node`. It has `session` and `input` in reach. */
export function programOf(body: string): Program {
  const source = `
    import * as ort from 'onnxruntime-node'
    const session = await ort.InferenceSession.create('model.onnx')
    const input = { x: new ort.Tensor('float32', Float32Array.from({ length: 48 }, (_, i) => Math.sin(i)), [2, 24]) }
    ${body}
  `
  const folder = folderOf({ 'app.mjs': new TextEncoder().encode(source), 'model.onnx': mlp().file })
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(library, join(folder, 'node_modules/onnxruntime-node'))
  const start = (flags: readonly string[], environment: Readonly<Record<string, string>>): Running => {
    const child = spawn(process.execPath, [...flags, 'app.mjs'], {
      cwd: folder,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    const ended = Promise.all([once(child, 'exit'), text(child.stdout!), text(child.stderr!)])
    return { process: child, ended: ended.then(([[code], stdout, stderr]) => ({ code, stdout, stderr })) }
  }
  const sources = ['--conditions=@tensor-assay/source', '--import', import.meta.resolve('tsx')]
  return {
    folder,
    model: join(folder, 'model.onnx'),
    plain: () => start([], {}),
    loaded: () => start(sources, {}),
    registered: (environment, ...flags) => start([...sources, ...flags, '--import', register], environment),
  }
}

export interface ListeningVerifier {
  readonly address: string
  readonly verdict: Promise<Verdict>
  /** Ends the session without a goodbye. */
  vanish(): void
}

/** A verifier of one session with `model`, in this process. */
export async function verifierOf(
  model: string,
  options: Omit<VerifierOptions, 'weights'> = {},
  scheme: 'tcp' | 'ws' = 'tcp',
): Promise<ListeningVerifier> {
  const verifier = createVerifier({ ...options, weights: await onnxWeights(model) })
  let settle: (verdict: Promise<Verdict>) => void
  const verdict = new Promise<Verdict>((resolve) => {
    settle = resolve
  })
  let open: Channel | undefined
  const listener = await { tcp, ws }[scheme]().listen(`${scheme}://127.0.0.1:0`, (channel) => {
    open = channel
    settle(verifier.accept(channel))
  })
  onTestFinished(() => listener.close())
  return { address: listener.address, verdict, vanish: () => open?.abort(new Error('the machine lost power')) }
}
