import type { Machine } from './machine.ts'
import type { Comparison } from './measure.ts'

/** Figures under one title. Suites make them; the report knows nothing of what they measure. */
export interface Section {
  readonly title: string
  readonly tables: readonly Table[]
  readonly notes: readonly string[]
  /** Why the figures cannot be trusted; one is enough to fail the benchmark. */
  readonly failures: readonly string[]
  /** The same for programs. */
  readonly data: unknown
}

/** The first column says what a row is about; the others are figures. */
export interface Table {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** One subject of the benchmark: a tensor library, a transport. Yields each section as soon as it is measured. */
export interface Suite {
  readonly name: string
  /** Versions of what is measured. */
  readonly versions: Readonly<Record<string, string>>
  run(options: SuiteOptions): AsyncIterable<Section>
}

export interface SuiteOptions {
  /** As much as fits into a minute. */
  readonly quick: boolean
  /** Whether a section is wanted. */
  readonly wants: (title: string) => boolean
  /** Uniform on [0, 1). */
  readonly random: () => number
  /** Says what is being done, for somebody who waits. */
  readonly onProgress: (what: string) => void
}

export function renderMachine(machine: Machine, versions: Readonly<Record<string, string>>): string {
  const { cpu, cores, system, node, load } = machine
  const lines = [
    `${cpu}, ${cores} cores, ${system}, Node ${node}`,
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
  ]
  if (load > 0.3) lines.push(`the machine is not idle: ${load.toFixed(1)} processes ran during the last minute`)
  return `${lines.join('\n')}\n`
}

export function renderSection({ title, tables, notes, failures }: Section): string {
  return [
    `\n${title}\n${'─'.repeat(title.length)}`,
    ...tables.map(renderTable),
    ...notes,
    ...failures.map((failure) => `FAILED: ${failure}`),
  ].join('\n')
}

function renderTable({ columns, rows }: Table): string {
  const widths = columns.map((column, i) => Math.max(column.length, ...rows.map((cells) => (cells[i] ?? '').length)))
  const line = (cells: readonly string[]) =>
    widths
      .map((width, i) => (cells[i] ?? '').padEnd(width))
      .join('   ')
      .trimEnd()
  return `${[columns, ...rows].map(line).join('\n')}\n`
}

/** A difference from the baseline with the interval of its median, percent. */
export function difference({ relative, interval, outcome }: Comparison): string {
  const percent = (ratio: number) => `${ratio < 0 ? '−' : '+'}${Math.abs(100 * ratio).toFixed(1)}`
  const shown = `${percent(relative.median)}% [${percent(interval[0])}, ${percent(interval[1])}]`
  return outcome === 'within noise' ? `${shown} noise` : shown
}
