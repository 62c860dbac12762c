import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

/** A script of this folder in a process of its own, in which an unhandled rejection is fatal. */
export class Child<T extends object> implements AsyncDisposable {
  readonly process: ChildProcess
  readonly #messages: Partial<T>[] = []
  readonly #exited: Promise<unknown>
  #stderr = ''
  #onNews = () => {}

  constructor(script: string, ...args: readonly string[]) {
    this.process = fork(new URL(script, import.meta.url), args, {
      execArgv: ['--import=tsx', '--conditions=@tensor-assay/source', '--unhandled-rejections=strict', '--expose-gc'],
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    })
    // Not `close`, which Node does not emit once this side has disconnected.
    this.#exited = Promise.all([once(this.process, 'exit'), once(this.process.stderr!, 'close')])
    this.process.stderr!.on('data', (chunk) => {
      this.#stderr += String(chunk)
    })
    this.process.on('message', (message) => {
      this.#messages.push(message as Partial<T>)
      this.#onNews()
    })
    this.process.on('exit', () => this.#onNews())
  }

  /**
   * The first message with a field of this name that was not taken before.
   *
   * @throws {Error} If the process ends without it.
   */
  async next<K extends keyof T>(name: K): Promise<T[K]> {
    for (;;) {
      const index = this.#messages.findIndex((message) => message[name] !== undefined)
      if (index >= 0) return this.#messages.splice(index, 1)[0]![name]!
      if (this.process.exitCode !== null || this.process.signalCode !== null) {
        throw new Error(`the process ended without its ${String(name)}: ${this.#stderr}`)
      }
      await new Promise<void>((resolve) => {
        this.#onNews = resolve
      })
    }
  }

  /** Ends it without a chance to say goodbye. */
  async kill(): Promise<void> {
    this.process.kill('SIGKILL')
    await this.#exited
  }

  /** Waits until it ends by itself: how it ended, and what it complained about. */
  async end(): Promise<{ readonly code: number | null; readonly stderr: string }> {
    await this.#exited
    return { code: this.process.exitCode, stderr: this.#stderr }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill()
  }
}
