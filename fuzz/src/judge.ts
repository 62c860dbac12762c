import type { Meter } from './meter.ts'
import { type Target, Violation } from './target.ts'

/** What one input did. */
export interface Judgement {
  readonly accepted: boolean
  /** What is wrong with the decoder, if anything is. */
  readonly problem?: string
}

const accepted: Judgement = { accepted: true }
const refused: Judgement = { accepted: false }

/**
 * Feeds one input and judges what happens: an error that is not documented, a broken promise, more memory than is
 * allowed. Answers at once where the decoder does.
 */
export function judge(target: Target, input: Uint8Array, meter: Meter): Judgement | Promise<Judgement> {
  meter.start(target.allowedBytes(input.length))
  try {
    const result = target.check(input)
    if (typeof result === 'boolean') return verdict(result, meter)
    return result.then((later) => verdict(later, meter)).catch((error) => problem(error, meter))
  } catch (error) {
    return problem(error, meter)
  }
}

function verdict(result: boolean, meter: Meter): Judgement {
  const { overdrawn } = meter
  meter.start(Number.POSITIVE_INFINITY)
  if (overdrawn !== undefined) return { accepted: result, problem: overdrawn }
  return result ? accepted : refused
}

function problem(error: unknown, meter: Meter): Judgement {
  const { overdrawn } = meter
  meter.start(Number.POSITIVE_INFINITY)
  if (overdrawn !== undefined) return { accepted: false, problem: overdrawn }
  if (error instanceof Violation) return { accepted: false, problem: error.message }
  const text = error instanceof Error ? (error.stack ?? String(error)) : String(error)
  return { accepted: false, problem: `not a documented error: ${text}` }
}
