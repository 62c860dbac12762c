import { auditScope } from './scope.ts'

/** Which step of a session the code that is running belongs to. */
export interface Steps {
  /** Undefined for what is not audited. */
  current(): number | undefined
  /** The step that a piece of work will belong to which the library is about to begin; unlike {@link current}, this begins none. */
  upcoming(): number | undefined
  /** The library starts on a piece of work of its own: outside every call of `audit`, that is a step. */
  next(): void
}

/** Numbers the steps of a session: calls of `audit`, and what the library itself delimits while all of it is watched. */
export interface SessionSteps extends Steps {
  /** Runs `body` as a step, or as part of the step that it is called in. */
  run<T>(body: () => T | Promise<T>): Promise<T>
  /** Whether the code that is running belongs to a call of `run`. */
  readonly isInside: boolean
  /** Takes what runs outside every call of `run` as steps too, until the returned function is called. */
  watch(): () => void
}

export function sessionSteps(): SessionSteps {
  const scope = auditScope()
  let steps = 0
  let watchers = 0
  /** Of what runs outside every call of `run`. */
  let watched: number | undefined
  return {
    get isInside() {
      return scope.current() !== undefined
    },
    upcoming: () => scope.current() ?? (watchers > 0 ? steps : undefined),
    current() {
      const inside = scope.current()
      if (inside !== undefined || watchers === 0) return inside
      watched ??= steps++
      return watched
    },
    next() {
      if (watchers > 0 && scope.current() === undefined) watched = steps++
    },
    run: (body) => scope.run(steps++, body),
    watch() {
      watchers++
      return () => {
        if (--watchers === 0) watched = undefined
      }
    },
  }
}
