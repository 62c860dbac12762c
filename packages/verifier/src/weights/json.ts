import { quoted, unreadable } from './byte-source.ts'

/** @throws {AssayError} `weights-unreadable` if `bytes` are not UTF-8 or not JSON. */
export function parseJson(sourceName: string, bytes: Uint8Array): { value: unknown; text: string } {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return { value: JSON.parse(text), text }
  } catch (cause) {
    throw unreadable(sourceName, `expected JSON: ${quoted((cause as Error).message)}`, cause)
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Keys of all objects in `text`, counted with repetitions. `text` is known to be JSON. */
export function countKeys(text: string): number {
  let keys = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const character = text[i]
    if (character === '"') inString = !inString
    else if (inString && character === '\\') i++
    else if (!inString && character === ':') keys++
  }
  return keys
}
