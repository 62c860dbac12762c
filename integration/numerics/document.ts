import { readFile, writeFile } from 'node:fs/promises'

/**
 * Replaces what stands in a document between the markers `<!-- name:start -->` and `<!-- name:end -->`.
 *
 * @param file - From the root of the repository.
 * @throws {Error} If the markers are not there.
 */
export async function document(name: string, text: string, file = 'docs/numerics.md'): Promise<void> {
  const path = new URL(`../../${file}`, import.meta.url)
  const [start, end] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`]
  const before = await readFile(path, 'utf8')
  const from = before.indexOf(start)
  const to = before.indexOf(end)
  if (from < 0 || to < from) throw new Error(`${file} has no ${start} followed by ${end}`)
  await writeFile(path, `${before.slice(0, from + start.length)}\n\n${text.trim()}\n\n${before.slice(to)}`)
}

/** A table in Markdown, padded so that it reads as plain text, too. */
export function markdownTable(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map((column, i) => Math.max(3, column.length, ...rows.map((cells) => cells[i]!.length)))
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`
  return [line(columns), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}
