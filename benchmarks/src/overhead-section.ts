import type { Spread } from './measure.ts'
import type { ArmResult, OverheadResult } from './overhead.ts'
import type { Parts } from './parts.ts'
import { difference, type Section, type Table } from './report.ts'

/** Overhead of a subject, for people. */
export function overheadSection(title: string, result: OverheadResult, parts: Parts): Section {
  const { productsPerRun, effort, arms, failures } = result
  const { confidence } = arms.find(({ role }) => role === 'null')!.over!.call
  return {
    title,
    tables: [overTable(arms), sessionTable(arms), partsTable(arms, parts)],
    notes: [
      `${productsPerRun} products a run; ${effort.rounds} rounds of ${effort.calls} single calls and ${effort.batch} in a row; ` +
        `medians [quartiles], differences with the ${(100 * confidence).toFixed(0)}% interval of their median`,
    ],
    failures,
    data: { ...result, parts },
  }
}

function overTable(arms: readonly ArmResult[]): Table {
  return {
    columns: [
      '',
      'one call, ms',
      'over plain',
      'until the verdict, ms a run',
      'over plain',
      'CPU of the prover over plain',
    ],
    rows: arms.map(({ name, role, callMs, drainedMs, over }) => [
      role === 'control' ? `control: ${name}` : name,
      milliseconds(callMs),
      over ? difference(over.call) : '',
      milliseconds(drainedMs),
      over ? difference(over.drained) : '',
      over ? difference(over.cpu) : '',
    ]),
  }
}

function sessionTable(arms: readonly ArmResult[]): Table {
  const plainMs = arms.find(({ role }) => role === 'baseline')!.callMs.median
  return {
    columns: ['', 'first call, ms', 'rows a run', 'sent a run', 'verifier, ms a run', 'verifier over plain'],
    rows: arms.flatMap(({ name, session }) => {
      if (session === undefined) return []
      const { firstCallMs, rowsPerRun, bytesPerRun, checkMsPerRun } = session
      return [
        [
          name,
          milliseconds(firstCallMs),
          rowsPerRun.toFixed(1),
          `${(bytesPerRun / 1024).toFixed(1)} KiB`,
          checkMsPerRun.toFixed(2),
          `${(100 * (checkMsPerRun / plainMs)).toFixed(2)}%`,
        ],
      ]
    }),
  }
}

/** Where the time of an interactive audit goes, and how much of a call's is not explained by these parts. */
function partsTable(arms: readonly ArmResult[], parts: Parts): Table {
  const plainMs = arms.find(({ role }) => role === 'baseline')!.callMs.median
  const interactive = arms.find(({ name }) => name === 'interactive')!
  const { relative } = interactive.over!.call
  const rest = relative.median * plainMs - parts.copying
  const row = (when: string, what: string, ms: number) => [
    what,
    when,
    ms.toFixed(3),
    `${(100 * (ms / plainMs)).toFixed(2)}%`,
  ]
  return {
    columns: ['interactive, part by part', 'when', 'ms a run', 'over plain'],
    rows: [
      row('in each call', 'copying A and C', parts.copying),
      row('in each call', 'the rest of a call (difference)', rest),
      row('in the first call', 'identifying weights', parts.identifying),
      row('behind the run, in a thread', 'hashing', parts.hashing),
      row('behind the run', 'opening', parts.opening),
      row('behind the run', 'encoding and sending', parts.sending),
    ],
  }
}

function milliseconds({ lower, median, upper }: Spread): string {
  const digits = median < 10 ? 2 : median < 1000 ? 1 : 0
  return `${median.toFixed(digits)} [${lower.toFixed(digits)}, ${upper.toFixed(digits)}]`
}
