import { parseArgs } from 'node:util'
import { Complaint } from '../complaint.ts'
import { nearest } from './nearest.ts'

export interface Option {
  /** Name of its value in the help, `FILE`; a switch without one. */
  readonly value?: string
  /** `repeated`: may be given again; `list`: besides, all words up to the next option belong to it. */
  readonly many?: 'repeated' | 'list'
  readonly help: string
}

export type Options<Name extends string> = Readonly<Record<Name, Option>>

/** What was given on the command line. */
export interface Given<Name extends string> {
  readonly positionals: readonly string[]
  has(name: Name): boolean
  one(name: Name): string | undefined
  all(name: Name): readonly string[]
}

/** @throws {Complaint} If an option is unknown, lacks its value, has one that it does not take, or comes twice. */
export function parseOptions<Name extends string>(options: Options<Name>, args: readonly string[]): Given<Name> {
  const known = options as Readonly<Record<string, Option>>
  // Not strict: its errors could not name the option that was meant.
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(known).map(([name, { value }]) => [name, { type: value === undefined ? 'boolean' : 'string' }]),
    ),
    allowPositionals: true,
    strict: false,
    tokens: true,
  })
  const values = new Map<string, string[]>()
  const positionals: string[] = []
  let list: string[] | undefined
  for (const token of tokens) {
    if (token.kind === 'positional') {
      const target = list ?? positionals
      target.push(token.value)
      continue
    }
    list = undefined
    if (token.kind === 'option-terminator') continue
    const option = Object.hasOwn(known, token.name) ? known[token.name] : undefined
    if (option === undefined || token.rawName !== `--${token.name}`) throw unknown(token.rawName, Object.keys(known))
    const earlier = values.get(token.name)
    if (earlier !== undefined && option.many === undefined) throw new Complaint(`${token.rawName} was given twice`)
    const given = earlier ?? []
    values.set(token.name, given)
    if (option.value === undefined) {
      if (token.value !== undefined) throw new Complaint(`${token.rawName} takes no value, got '${token.value}'`)
      continue
    }
    given.push(valueFor(token, option.value))
    if (option.many === 'list') list = given
  }
  return {
    positionals,
    has: (name) => values.has(name),
    one: (name) => values.get(name)?.[0],
    all: (name) => values.get(name) ?? [],
  }
}

function valueFor(
  { rawName, value, inlineValue }: { rawName: string; value?: string | undefined; inlineValue?: boolean | undefined },
  placeholder: string,
): string {
  if (value === undefined || value === '') throw new Complaint(`${rawName} needs a value: ${rawName} ${placeholder}`)
  if (inlineValue !== true && value.startsWith('-') && value.length > 1) {
    throw new Complaint(`${rawName} needs a value, got the option ${value}; write ${rawName}=${value} if it is one`)
  }
  return value
}

function unknown(rawName: string, names: readonly string[]): Complaint {
  const meant = nearest(rawName.replace(/^-+/, ''), names)
  return new Complaint(`there is no option ${rawName}${meant === undefined ? '' : `; did you mean --${meant}?`}`)
}
