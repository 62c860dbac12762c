import { writeFileSync } from 'node:fs'
import type { Verdict } from '@tensor-assay/core'

const longestLine = 400

/** One line on standard error, which is all that a program's user sees of an audit. */
export function say(line: string): void {
  // What comes from afar must not write more than one line, or move the cursor.
  process.stderr.write(`tensor-assay: ${line.replace(/\p{C}+/gu, ' ').slice(0, longestLine)}\n`)
}

/**
 * Says the verdict in one line and writes all of it to a file.
 *
 * @param file - Path; nothing is written if it is empty or undefined.
 */
export function report(verdict: Verdict, file: string | undefined): void {
  say(lineOf(verdict))
  if (!file) return
  try {
    writeFileSync(file, `${JSON.stringify(verdict, undefined, 2)}\n`)
  } catch (error) {
    say(`the verdict could not be written: ${(error as Error).message}`)
  }
}

function lineOf({ status, findings, findingCount, coverage }: Verdict): string {
  const { audited, operations } = coverage
  const line = `verdict ${status}, ${audited} of ${operations} products audited`
  const [worst] = findings
  return worst === undefined ? line : `${line}, ${findingCount} findings, the worst: ${worst.reason}, ${worst.message}`
}
