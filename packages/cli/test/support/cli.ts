import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import { buildAssay } from './build.ts'

const main = await buildAssay()

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly process: ChildProcess
  /** What was printed so far. */
  readonly stdout: string
  readonly stderr: string
  /** Resolves when standard error has a match; rejects if the process ends first. */
  stderrHas(pattern: RegExp): Promise<RegExpExecArray>
  stdoutHas(pattern: RegExp): Promise<RegExpExecArray>
  readonly ended: Promise<Ended>
}

/** Starts `assay` as a process of its own, as a shell does whose output goes to a file. It ends with the test. */
export function startAssay(args: readonly string[], cwd: string): Running {
  const { FORCE_COLOR: _, ...env } = process.env
  const child = spawn(process.execPath, [main, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const printed = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      printed[name] += text
    })
  }
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...printed }))

  async function has(name: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(printed[name])
      if (match !== null) return match
      const more = once(child[name], 'data')
      const end = await Promise.race([more.then(() => undefined), ended])
      if (end !== undefined) throw new Error(`assay ended before it printed ${pattern}: ${JSON.stringify(end)}`)
    }
  }

  return {
    process: child,
    get stdout() {
      return printed.stdout
    },
    get stderr() {
      return printed.stderr
    },
    stderrHas: (pattern) => has('stderr', pattern),
    stdoutHas: (pattern) => has('stdout', pattern),
    ended,
  }
}

/** Runs `assay` to its end. */
export async function runAssay(args: readonly string[], cwd: string): Promise<Ended> {
  return startAssay(args, cwd).ended
}

/** Starts `assay serve`, and gives its address once it listens. */
export async function startServer(args: readonly string[], cwd: string): Promise<Running & { address: string }> {
  const running = startAssay(['serve', ...args], cwd)
  const [, address = ''] = await running.stderrHas(/^listening on (\S+)\n/m)
  return Object.assign(Object.create(running) as Running, { address })
}
