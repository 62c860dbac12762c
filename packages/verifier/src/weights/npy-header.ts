import { quoted } from './byte-source.ts'
import { isSize } from './shape.ts'

/** What a `.npy` header says. `descr` and `shape` are as written, not yet judged. */
export interface NpyHeader {
  readonly descr: string
  readonly fortranOrder: boolean
  readonly shape: readonly number[]
}

const token = /[ \t\r\n]*(?:('[^'\\\n]*'|"[^"\\\n]*")|(0|[1-9][0-9]*)L?|(True|False)|([{}()[\]:,]))/y

/**
 * Reads the Python dictionary of a `.npy` header: the three keys of the format, each once, in any order. Nothing else
 * of Python is understood.
 *
 * @throws {SyntaxError} Saying what was expected at which character.
 * @see NumPy Enhancement Proposal 1, "A Simple File Format for NumPy Arrays".
 */
export function parseNpyHeader(text: string): NpyHeader {
  const reader = tokens(text)
  const found = new Map<string, unknown>()
  reader.punctuation('{')
  while (!reader.accept('}')) {
    const key = reader.string('a key')
    if (!Object.hasOwn(values, key)) throw reader.error(`unexpected key ${quoted(key)}`)
    if (found.has(key)) throw reader.error(`key '${key}' appears twice`)
    reader.punctuation(':')
    found.set(key, values[key as keyof typeof values](reader))
    if (!reader.accept(',')) {
      reader.punctuation('}')
      break
    }
  }
  reader.end()
  const missing = Object.keys(values).find((key) => !found.has(key))
  if (missing !== undefined) throw reader.error(`key '${missing}' is missing`)
  return {
    descr: found.get('descr') as string,
    fortranOrder: found.get('fortran_order') as boolean,
    shape: found.get('shape') as number[],
  }
}

const values = {
  descr: (reader: Tokens) => reader.string("an element type such as '<f4' (structured arrays are not supported)"),
  fortran_order: (reader: Tokens) => reader.boolean(),
  shape: parseTuple,
}

/** `()`, `(3,)`, `(3, 4)` or `(3, 4,)`. */
function parseTuple(reader: Tokens): number[] {
  const items: number[] = []
  reader.punctuation('(')
  while (!reader.accept(')')) {
    items.push(reader.integer())
    if (!reader.accept(',')) {
      // (3) is a number in Python, not a tuple.
      if (items.length === 1) throw reader.error("expected ','")
      reader.punctuation(')')
      break
    }
  }
  return items
}

type Tokens = ReturnType<typeof tokens>

function tokens(text: string) {
  let start = 0
  const error = (problem: string) => new SyntaxError(`${problem} at character ${start} of its header`)

  /** The text of group `group` of the next token, which is consumed, or undefined. */
  function take(group: number, wanted?: string): string | undefined {
    token.lastIndex = start
    const value = token.exec(text)?.[group]
    if (value === undefined || (wanted !== undefined && value !== wanted)) return undefined
    start = token.lastIndex
    return value
  }
  function expect(group: number, what: string, wanted?: string): string {
    const value = take(group, wanted)
    if (value === undefined) throw error(`expected ${what}`)
    return value
  }

  return {
    error,
    accept: (mark: string) => take(4, mark) !== undefined,
    punctuation: (mark: string) => expect(4, `'${mark}'`, mark),
    string: (what: string) => expect(1, what).slice(1, -1),
    boolean: () => expect(3, 'True or False') === 'True',
    integer() {
      const value = Number(expect(2, 'a dimension'))
      if (!isSize(value)) throw error('a dimension is over 2⁵³')
      return value
    },
    end() {
      if (!/^[ \t\r\n]*$/.test(text.slice(start))) throw error('expected the end')
    },
  }
}
