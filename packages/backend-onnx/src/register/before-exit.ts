import type { EventEmitter } from 'node:events'

/** Timers keep a process alive however rarely they fire. */
const holdIntervalMs = 60_000

/**
 * Runs `work` once, when the program has nothing left to do, and holds the process until it is done. Only then do the
 * program's own listeners hear of `beforeExit`, as often as they would without us.
 *
 * @param work - Must not reject.
 */
export function beforeExit(work: () => Promise<void>): void {
  const emitter: EventEmitter = process
  const original = emitter.emit
  let done = false
  function emit(this: EventEmitter, name: string | symbol, ...args: unknown[]): boolean {
    if (name !== 'beforeExit' || done) return original.call(this, name, ...args)
    done = true
    if (emitter.emit === emit) emitter.emit = original
    const hold = setInterval(() => {}, holdIntervalMs)
    // Then the process runs out of work again, and Node says so again.
    void work().finally(() => clearInterval(hold))
    return true
  }
  emitter.emit = emit
}
