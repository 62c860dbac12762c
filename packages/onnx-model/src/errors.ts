import { AssayError } from '@tensor-assay/core'
import type { ModelSource } from './source.ts'

export function malformed(source: ModelSource, problem: string): AssayError {
  return new AssayError('model-malformed', `${source.name}: ${problem}`)
}

export function unsupported(source: ModelSource, problem: string): AssayError {
  return new AssayError('model-unsupported', `${source.name}: ${problem}`)
}

/** A text out of a file, safe to print: escaped, and cut at 80 characters. */
export function quoted(text: string): string {
  const cut = text.length > 80 ? `${text.slice(0, 77)}...` : text
  return JSON.stringify(cut).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
