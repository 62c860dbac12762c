import type { Backend, Interception, ProductObserver } from '../backend.ts'
import type { SessionSteps } from './steps.ts'

export interface RunsOptions {
  readonly backend: Backend
  readonly steps: SessionSteps
  readonly observer: ProductObserver
  /** Waits for room before a run that is not inside another. */
  readonly ready: () => Promise<void>
  /** How long it is waited for at most, milliseconds: what does not fit then is skipped. */
  readonly maxWaitMs: number
  /** Whether nobody listens any more, so that the library is left alone. */
  readonly isOver: () => boolean
}

export interface Runs {
  /** Runs `run` with the backend intercepted, and gives what it gives. */
  audit<T>(run: () => T | Promise<T>): Promise<T>
  /** Has the backend intercepted until it is restored. */
  watch(): Interception
}

/** The user's code and the interception of the backend under it, which lasts as long as anybody needs it. */
export function auditedRuns({ backend, steps, observer, ready, maxWaitMs, isOver }: RunsOptions): Runs {
  let interception: Interception | undefined
  let users = 0

  function use(): void {
    if (users++ === 0 && !isOver()) interception = backend.intercept(observer)
  }

  function leave(): void {
    if (--users === 0) interception?.restore()
  }

  return {
    async audit(run) {
      if (!steps.isInside) await atMost(ready(), maxWaitMs)
      use()
      try {
        return await steps.run(run)
      } finally {
        leave()
      }
    },
    watch() {
      use()
      const unwatch = steps.watch()
      let active = true
      const watching: Interception = {
        get active() {
          return active
        },
        restore() {
          if (!active) return
          active = false
          unwatch()
          leave()
        },
        [Symbol.dispose]: () => watching.restore(),
      }
      return watching
    },
  }
}

/** Resolves with `promise`, or after `timeoutMs`. */
async function atMost(promise: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs)
  })
  await Promise.race([promise, late])
  clearTimeout(timer)
}
