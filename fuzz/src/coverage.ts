import { Session } from 'node:inspector'

type Range = { readonly startOffset: number; readonly endOffset: number; readonly count: number }
type FunctionCoverage = { readonly functionName: string; readonly ranges: readonly Range[] }
type ScriptCoverage = {
  readonly scriptId: string
  readonly url: string
  readonly functions: readonly FunctionCoverage[]
}

/** What ran since the snapshot before: for each function, which of its characters did. */
export type Snapshot = ReadonlyMap<string, Uint8Array>

/** Which code has run, from V8 itself: nothing is instrumented, and optimised code stays optimised. */
export interface Coverage {
  snapshot(): Snapshot
  /** Whether the snapshot holds code that no merged one held. */
  isNew(snapshot: Snapshot): boolean
  merge(snapshot: Snapshot): void
  /** Characters of source code that ran. */
  readonly characters: number
}

/** @param isOfInterest - Says of which scripts coverage is looked at, by their address. */
export function coverage(isOfInterest: (url: string) => boolean): Coverage {
  const session = new Session()
  session.connect()
  const seen = new Map<string, Uint8Array>()
  let characters = 0

  /** Answers before it returns, as everything in this thread does. */
  function post<T>(method: string, parameters: object = {}): T {
    let answer: unknown
    session.post(method, parameters, (error, result) => {
      if (error) throw error
      answer = result
    })
    return answer as T
  }
  post('Profiler.enable')
  // Without counts: V8 then only notes whether a block ran since it was last asked, which costs next to nothing.
  post('Profiler.startPreciseCoverage', { callCount: false, detailed: true })

  return {
    snapshot() {
      const { result } = post<{ result: readonly ScriptCoverage[] }>('Profiler.takePreciseCoverage')
      const snapshot = new Map<string, Uint8Array>()
      for (const { scriptId, url, functions } of result) {
        if (!isOfInterest(url)) continue
        for (const { ranges } of functions) {
          const [whole] = ranges
          if (whole === undefined || whole.count === 0) continue
          snapshot.set(`${scriptId}:${whole.startOffset}:${whole.endOffset}`, paint(whole, ranges))
        }
      }
      return snapshot
    },
    isNew(snapshot) {
      for (const [name, ran] of snapshot) {
        const before = seen.get(name)
        if (before === undefined || ran.some((one, i) => one > before[i]!)) return true
      }
      return false
    },
    merge(snapshot) {
      for (const [name, ran] of snapshot) {
        const before = seen.get(name) ?? new Uint8Array(ran.length)
        for (let i = 0; i < ran.length; i++) {
          if (ran[i]! <= before[i]!) continue
          before[i] = 1
          characters++
        }
        seen.set(name, before)
      }
    },
    get characters() {
      return characters
    },
  }
}

/** Ranges lie within each other, the outer first. */
function paint(whole: Range, ranges: readonly Range[]): Uint8Array {
  const ran = new Uint8Array(whole.endOffset - whole.startOffset)
  for (const { startOffset, endOffset, count } of ranges) {
    ran.fill(count > 0 ? 1 : 0, startOffset - whole.startOffset, endOffset - whole.startOffset)
  }
  return ran
}
