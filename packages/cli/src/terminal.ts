/** Longest line that is easy to read, characters. */
const widest = 100

/** Whether ANSI colours may be used on a stream: see no-color.org, and FORCE_COLOR for logs that keep them. */
export function usesColor(stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env
  if (NO_COLOR) return false
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0'
  return stream.isTTY === true && TERM !== 'dumb'
}

/** Characters to a line. */
export function widthOf(stream: NodeJS.WriteStream): number {
  return Math.min(widest, stream.columns || 80)
}

/** Prints a result. */
export function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Prints what is not a result: where it listens, what went wrong. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** `assay … | head` is no failure. */
export function leaveWhenNobodyReads(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit()
  })
}
