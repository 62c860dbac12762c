import type { Random } from './random.ts'

const numbers = [0, 1, -1, 2, 3, 4, 7, 8, 16, 255, 256, 2 ** 15, 2 ** 16, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2 ** 32]
const large = [2 ** 48, 2 ** 53 - 1, -(2 ** 53 - 1), 1e300, 5e-324, 0.5, 1.5]
const words = [
  '',
  'a',
  '__proto__',
  'constructor',
  'length',
  '\u0000',
  '\ud83d\ude00',
  'float32',
  'int8',
  'x'.repeat(600),
]

/**
 * A value as of JSON or CBOR, changed in one place: another number, text, list or type; a key more, less or renamed; an
 * element repeated, removed or moved. The original is left as it is.
 */
export function revalue(value: unknown, random: Random): unknown {
  const places = countPlaces(value)
  const { changed } = at(value, random.below(places), random)
  return changed
}

function countPlaces(value: unknown): number {
  let places = 1
  for (const child of childrenOf(value)) places += countPlaces(child)
  return places
}

function childrenOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  return isMap(value) ? Object.values(value) : []
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
}

/** Goes to place number `place` in order of depth first, and says how many places are left to go otherwise. */
function at(value: unknown, place: number, random: Random): { changed: unknown; left: number } {
  if (place === 0) return { changed: other(value, random), left: -1 }
  let left = place - 1
  if (Array.isArray(value)) {
    const changed = [...value]
    for (let i = 0; i < changed.length && left >= 0; i++) {
      const step = at(changed[i], left, random)
      changed[i] = step.changed
      left = step.left
    }
    return { changed, left }
  }
  if (!isMap(value)) return { changed: value, left }
  const changed: [string, unknown][] = []
  for (const [key, child] of Object.entries(value)) {
    if (left < 0) {
      changed.push([key, child])
      continue
    }
    const step = at(child, left, random)
    changed.push([key, step.changed])
    left = step.left
  }
  return { changed: Object.fromEntries(changed), left }
}

function other(value: unknown, random: Random): unknown {
  if (random.once(12)) return random.pick([null, true, false, 0, '', [], {}, new Uint8Array(32), [value], { a: value }])
  if (typeof value === 'number') {
    if (random.once(2)) return value + random.below(5) - 2
    return random.once(4) ? random.pick(large) : random.pick(numbers)
  }
  if (typeof value === 'boolean') return !value
  if (typeof value === 'string') return otherText(value, random)
  if (value instanceof Uint8Array) return otherBytes(value, random)
  if (Array.isArray(value)) return otherList(value, random)
  if (isMap(value)) return otherMap(value, random)
  return random.pick([0, '', [], {}, false])
}

function otherText(text: string, random: Random): string {
  if (random.once(2)) return random.pick(words)
  const place = random.below(text.length)
  return `${text.slice(0, place)}${random.pick(['', 'a', '0', '.', '/', '\\'])}${text.slice(place + random.below(2))}`
}

function otherBytes(bytes: Uint8Array, random: Random): Uint8Array {
  if (random.once(3)) return bytes.slice(0, random.below(bytes.length + 1))
  const out = new Uint8Array(bytes.length + (random.once(3) ? random.below(33) : 0))
  out.set(bytes)
  if (out.length > 0) out[random.below(out.length)]! ^= 1 << random.below(8)
  return out
}

function otherList(list: readonly unknown[], random: Random): unknown[] {
  const out = [...list]
  const place = random.below(out.length)
  const element = out[place] ?? 0
  switch (random.below(6)) {
    case 0:
      return out.reverse()
    case 1:
      return [...out, ...Array.from({ length: 1 + random.below(40) }, () => element)]
    case 2:
    case 3:
      out.splice(random.below(out.length + 1), 0, element)
      return out
    default:
      out.splice(place, 1)
      return out
  }
}

function otherMap(map: Readonly<Record<string, unknown>>, random: Random): Record<string, unknown> {
  const entries = Object.entries(map)
  const place = random.below(entries.length)
  switch (random.below(3)) {
    case 0:
      entries.splice(place, 1)
      break
    case 1:
      entries[place] = [random.pick(words), entries[place]?.[1] ?? 0]
      break
    default:
      entries.push([random.pick(words), random.pick([0, '', null])])
  }
  return Object.fromEntries(entries)
}
