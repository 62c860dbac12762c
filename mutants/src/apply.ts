import type { Mutant } from './mutant.ts'

/**
 * The source of a file with a mutant in it.
 *
 * @throws {RangeError} If the text that it changes is not there exactly once: the list is out of date.
 */
export function mutated(source: string, { name, file, find, replace }: Mutant): string {
  const parts = source.split(find)
  if (parts.length !== 2) {
    throw new RangeError(`mutant '${name}': expected its text once in ${file}, found it ${parts.length - 1} times`)
  }
  return parts.join(replace)
}

/** What tells mutants apart: names repeat from file to file. */
export function idOf({ file, name }: Mutant): string {
  return `${file
    .replace(/^packages\//, '')
    .replace('/src/', '/')
    .replace(/\.ts$/, '')}: ${name}`
}
