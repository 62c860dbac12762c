import { parseFingerprint } from '@tensor-assay/core'
import { Complaint } from '../complaint.ts'

/** A whole number of at least `least`; undefined where none was given. */
export function wholeNumber(name: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= 2 ** 31 - 1) return value
  throw new Complaint(`--${name} must be a whole number from ${least} to ${2 ** 31 - 1}, got '${text}'`)
}

/** A fraction above 0 and at most 1. */
export function fraction(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (/^[\d.]+(e-?\d+)?$/i.test(text) && value > 0 && value <= 1) return value
  throw new Complaint(`--${name} must be a number above 0 and at most 1, such as 0.01, got '${text}'`)
}

export function oneOf<Choice extends string>(
  name: string,
  text: string | undefined,
  choices: readonly Choice[],
): Choice | undefined {
  if (text === undefined) return undefined
  const choice = choices.find((candidate) => candidate === text)
  if (choice !== undefined) return choice
  throw new Complaint(`--${name} must be ${choices.join(' or ')}, got '${text}'`)
}

/** 32 bytes. */
export function bytes32(name: string, text: string | undefined): Uint8Array | undefined {
  if (text === undefined) return undefined
  if (/^[0-9a-f]{64}$/i.test(text)) return new Uint8Array(Buffer.from(text, 'hex'))
  throw new Complaint(`--${name} must be 64 hexadecimal digits, got ${text.length} characters: '${text}'`)
}

/** Fingerprints of identities; undefined where none was given. */
export function fingerprints(name: string, texts: readonly string[]): readonly string[] | undefined {
  for (const text of texts) {
    try {
      parseFingerprint(text)
    } catch {
      throw new Complaint(`--${name} must be a fingerprint as assay identity prints it, ed25519:…, got '${text}'`)
    }
  }
  return texts.length === 0 ? undefined : texts
}
