import type { Verdict } from '@tensor-assay/core'
import { describeVerdict } from '@tensor-assay/verifier'
import type { Given, Option } from './arguments/options.ts'
import { usesColor, widthOf } from './terminal.ts'

/** Options that set how a verdict is printed. */
export const verdictOptions = {
  brief: { help: 'a verdict of a few lines' },
  json: { help: 'the verdict as one line of JSON, for programs' },
} as const satisfies Record<string, Option>

/** A verdict as it was asked for. */
export function shownVerdict(verdict: Verdict, given: Given<keyof typeof verdictOptions>): string {
  if (given.has('json')) return JSON.stringify(verdict)
  const { stdout } = process
  return describeVerdict(verdict, {
    detail: given.has('brief') ? 'brief' : 'full',
    width: widthOf(stdout),
    color: usesColor(stdout),
  })
}
