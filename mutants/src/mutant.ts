/** A mistake that a verifier must not make, as a change of its source: some test has to notice. */
export interface Mutant {
  /** Tells it from the others; what `npm run mutants` takes. */
  readonly name: string
  /** From the root of the repository. */
  readonly file: string
  /** Occurs once in the file. */
  readonly find: string
  readonly replace: string
  /** What it would cost, were it not noticed. */
  readonly why: string
  /** Test files, of which one must fail; the quickest first. */
  readonly tests: readonly string[]
}

/** The mutants of one file. */
export function inFile(
  file: string,
  tests: readonly string[],
  changes: readonly (readonly [name: string, find: string, replace: string, why: string])[],
): Mutant[] {
  return changes.map(([name, find, replace, why]) => ({ name, file, find, replace, why, tests }))
}
