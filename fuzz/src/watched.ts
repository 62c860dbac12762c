import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type EngineStatistics, noStatistics } from './engine.ts'
import { lastNoted } from './watch-file.ts'
import type { WorkerMessage, WorkerOrder } from './worker.ts'

export interface WatchedOptions {
  readonly target: string
  readonly seed: number
  readonly inputs: readonly Uint8Array[]
  /** Time for one input after which it hangs, milliseconds. */
  readonly hangMs: number
  /** JavaScript heap of the process, MiB: an input that needs more ends it. */
  readonly heapMib: number
  readonly onFinding: (input: Uint8Array, problem: string) => void
  readonly onCovering: (input: Uint8Array) => void
}

const pollMs = 250
const entry = fileURLToPath(new URL('./worker.ts', import.meta.url))

/** A worker and somebody who looks after it. */
export class Watched {
  statistics: EngineStatistics = noStatistics
  /** Whether the worker is of no more use. */
  gone = false
  private readonly options: WatchedOptions
  private readonly worker: ChildProcess
  private readonly folder = mkdtempSync(join(tmpdir(), 'fuzz-'))
  private readonly watchFile = join(this.folder, 'input')
  private said = ''
  private settle: () => void = () => undefined

  constructor(options: WatchedOptions) {
    this.options = options
    this.worker = fork(entry, [], {
      execArgv: [...process.execArgv, `--max-old-space-size=${options.heapMib}`],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    })
    this.worker.stderr?.on('data', (chunk: Buffer) => {
      this.said = `${this.said}${chunk}`.slice(-4000)
    })
    this.worker.on('message', (message: WorkerMessage) => {
      if (message.type === 'finding') options.onFinding(message.input, message.problem)
      else if (message.type === 'covering') options.onCovering(message.input)
      else {
        this.statistics = message.statistics
        this.settle()
      }
    })
    this.worker.on('exit', (code, signal) => this.lose(`the process ended (${signal ?? code}):\n${this.said}`))
  }

  /** Resolves when the worker has taken its first inputs, or is gone. */
  begin(): Promise<void> {
    const { target, seed, inputs } = this.options
    return this.follow({ type: 'begin', target, seed, inputs, watchFile: this.watchFile })
  }

  /** Resolves when it ran for so long, or is gone. */
  run(ms: number, maxInputs: number): Promise<void> {
    return this.follow({ type: 'run', ms, maxInputs })
  }

  stop(): void {
    this.gone = true
    this.worker.kill('SIGKILL')
    rmSync(this.folder, { recursive: true, force: true })
  }

  private async follow(order: WorkerOrder): Promise<void> {
    if (this.gone) return
    const settled = new Promise<void>((resolve) => {
      this.settle = resolve
    })
    this.worker.send(order)
    let begun = -1
    let since = performance.now()
    const poll = setInterval(() => {
      const now = this.noted().begun
      if (now !== begun) since = performance.now()
      else if (performance.now() - since > this.options.hangMs) this.lose(`no end after ${this.options.hangMs} ms`)
      begun = now
    }, pollMs)
    await settled
    clearInterval(poll)
  }

  private noted(): ReturnType<typeof lastNoted> {
    try {
      return lastNoted(this.watchFile)
    } catch {
      // It has not begun.
      return { begun: 0, input: new Uint8Array(0) }
    }
  }

  /** The worker does not go on; what it was doing is the finding. */
  private lose(problem: string): void {
    if (this.gone) return
    const { input } = this.noted()
    this.options.onFinding(input, problem)
    this.stop()
    this.settle()
  }
}
