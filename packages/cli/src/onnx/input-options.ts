import { nearest } from '../arguments/nearest.ts'
import type { Given, Option } from '../arguments/options.ts'
import { wholeNumber } from '../arguments/values.ts'
import { Complaint } from '../complaint.ts'
import type { InputInfo } from './inputs.ts'

/** Options that say what a model is run on. */
export const inputOptions = {
  dim: {
    value: 'NAME=N,N…',
    many: 'repeated',
    help: 'sizes of a dimension that the model leaves open, one for each run',
  },
  range: {
    value: 'INPUT=LOW..HIGH',
    many: 'repeated',
    help: 'values of an input; -1..1 for floats, 0..1 for integers',
  },
} as const satisfies Record<string, Option>

export interface InputChoices {
  /** Sizes by the name of the dimension, one for each run or one for all. */
  readonly sizes: ReadonlyMap<string, readonly number[]>
  readonly ranges: ReadonlyMap<string, Range>
}

export interface Range {
  readonly low: number
  readonly high: number
}

/** @throws {Complaint} If an option cannot be read, or says the same thing twice. */
export function inputChoices(given: Given<keyof typeof inputOptions>): InputChoices {
  const sizes = new Map<string, readonly number[]>()
  for (const text of given.all('dim')) {
    const [name, values] = halves('dim', text, 'NAME=SIZE, or NAME=SIZE,SIZE for several runs')
    if (sizes.has(name)) throw new Complaint(`--dim ${name} was given twice; write ${name}=SIZE,SIZE for several runs`)
    sizes.set(
      name,
      values.split(',').map((size) => wholeNumber('dim', size, 0)!),
    )
  }
  const ranges = new Map<string, Range>()
  for (const text of given.all('range')) {
    const [name, values] = halves('range', text, 'INPUT=LOW..HIGH')
    if (ranges.has(name)) throw new Complaint(`--range ${name} was given twice`)
    const [low, high, ...more] = values.split('..').map((part) => (part.trim() === '' ? Number.NaN : Number(part)))
    const isRange = low !== undefined && high !== undefined && more.length === 0 && low <= high
    if (!isRange || !Number.isFinite(high - low)) {
      throw new Complaint(
        `--range must be INPUT=LOW..HIGH with LOW at most HIGH, such as input_ids=0..999, got '${text}'`,
      )
    }
    ranges.set(name, { low, high })
  }
  return { sizes, ranges }
}

/** Names may have a `=` in them: it is the last one that counts. */
function halves(option: string, text: string, form: string): [string, string] {
  const at = text.lastIndexOf('=')
  if (at < 1) throw new Complaint(`--${option} must be ${form}, got '${text}'`)
  return [text.slice(0, at), text.slice(at + 1)]
}

/** Name of an open dimension on the command line: the model's, or the input's and its position where it has none. */
export function nameOfDimension(input: InputInfo, position: number): string | undefined {
  const size = input.shape[position]
  if (typeof size === 'number') return undefined
  return size || `${input.name}:${position}`
}

/** @throws {Complaint} If sizes are missing, or something is said of what the model does not have. */
export function checkChoices(inputs: readonly InputInfo[], { sizes, ranges }: InputChoices): void {
  const open = new Set(inputs.flatMap((input) => input.shape.flatMap((_, i) => nameOfDimension(input, i) ?? [])))
  const missing = [...open].filter((name) => !sizes.has(name))
  if (missing.length > 0) {
    const options = missing.map((name) => `--dim ${/^[\w:./-]+$/.test(name) ? `${name}=1,2` : `'${name}=1,2'`}`)
    throw new Complaint(`the model leaves the size of ${missing.join(', ')} open; choose sizes: ${options.join(' ')}`)
  }
  for (const name of sizes.keys()) {
    if (!open.has(name))
      throw new Complaint(`the model has no open dimension ${name}; ${choice(name, open, 'all sizes are set')}`)
  }
  const names = new Set(inputs.map(({ name }) => name))
  for (const name of ranges.keys()) {
    if (!names.has(name))
      throw new Complaint(`the model has no input ${name}; ${choice(name, names, 'it has no inputs')}`)
  }
  const lengths = new Set([...sizes.values()].map(({ length }) => length).filter((length) => length > 1))
  if (lengths.size > 1) {
    throw new Complaint(`every --dim must have one size, or one for each run: got ${[...lengths].join(' and ')} sizes`)
  }
}

function choice(name: string, names: ReadonlySet<string>, none: string): string {
  const meant = nearest(name, [...names])
  if (meant !== undefined) return `did you mean ${meant}?`
  return names.size === 0 ? none : `there are ${[...names].join(', ')}`
}
