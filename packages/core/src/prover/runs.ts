import type { Backend, Interception, ProductObserver } from '../backend.ts'
import type { AuditScope } from './scope.ts'

export interface RunsOptions {
  readonly backend: Backend
  readonly scope: AuditScope
  readonly observer: ProductObserver
  /** Waits for room before a run that is not inside another. */
  readonly ready: () => Promise<void>
  /** Whether nobody listens any more, so that the library is left alone. */
  readonly isOver: () => boolean
}

/** Runs the user's code with the backend intercepted, and gives what it gives. */
export function auditedRuns({ backend, scope, observer, ready, isOver }: RunsOptions) {
  let interception: Interception | undefined
  let running = 0
  let steps = 0
  return async <T>(run: () => T | Promise<T>): Promise<T> => {
    if (scope.current() === undefined) await ready()
    if (running++ === 0 && !isOver()) interception = backend.intercept(observer)
    try {
      return await scope.run(steps++, run)
    } finally {
      if (--running === 0) interception?.restore()
    }
  }
}
