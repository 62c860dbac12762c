import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = new URL('../findings/', import.meta.url)

/**
 * Saves an input that a decoder failed on, beside what went wrong, so that `--replay` can show it again.
 *
 * @returns The path of the input, relative to the working folder.
 */
export async function saveFinding(target: string, input: Uint8Array, problem: string): Promise<string> {
  const name = `${target}-${createHash('sha256').update(input).digest('hex').slice(0, 12)}`
  await mkdir(folder, { recursive: true })
  await writeFile(new URL(`${name}.bin`, folder), input)
  await writeFile(new URL(`${name}.txt`, folder), `${problem}\n`)
  return relative(process.cwd(), fileURLToPath(new URL(`${name}.bin`, folder)))
}

/** What makes two problems one: all but the numbers in the first line, and where it was thrown. */
export function kindOf(problem: string): string {
  const [first = '', ...rest] = problem.split('\n')
  return [first.replace(/\d+/g, '#').slice(0, 120), rest[0] ?? ''].join('\n')
}
