import type { Command } from './command.ts'

/** What `assay --help` prints. */
export function generalHelp(commands: Readonly<Record<string, Command>>): string {
  const summaries = Object.entries(commands).map(([name, { summary }]) => [`assay ${name}`, summary] as const)
  return [
    'assay audits tensor computations: a verifier checks sampled rows of the products that a prover runs.',
    '',
    ...table([...summaries, ['assay COMMAND --help', 'the options of a command'], ['assay --version', 'the version']]),
  ].join('\n')
}

/** What `assay COMMAND --help` prints. */
export function commandHelp(name: string, { summary, usage, options, details }: Command): string {
  const rows = Object.entries(options).map(([option, { value, many, help }]) => {
    const words = value === undefined ? '' : ` ${value}${many === 'list' ? '…' : ''}`
    return [`--${option}${words}`, many === 'repeated' ? `${help}; may be repeated` : help] as const
  })
  return [
    `assay ${name}: ${summary}`,
    '',
    `usage: assay ${name} ${usage}`,
    '',
    ...table([...rows, ['--help', 'this text']]),
    ...(details === undefined ? [] : ['', details]),
  ].join('\n')
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`)
}
