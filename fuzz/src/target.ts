import { AssayError, type AssayErrorCode } from '@tensor-assay/core'
import type { Random } from './random.ts'

/** One decoder, what it may do, and what it is fed to begin with. */
export interface Target {
  /** As in `--target`. */
  readonly name: string
  /** Longest input that is made for it, bytes. */
  readonly maxInputBytes: number
  /** Bytes of buffers and typed arrays that it may ask for, all together, at an input of `length` bytes. */
  allowedBytes(length: number): number
  /** Inputs that it accepts. */
  seeds(): readonly Uint8Array[]
  /** Byte strings that the format is made of, for the mutator to put anywhere. */
  readonly tokens?: readonly Uint8Array[]
  /** Changes an input as the format understands it, which chance does not do: a value, a key, a checksum. */
  rewrite?(input: Uint8Array, random: Random): Uint8Array
  /** Whether what it accepts cannot be the beginning of something else that it accepts; true unless given. */
  readonly isWhole?: boolean
  /**
   * Feeds the decoder one input, which it must leave as it is, and looks at what comes out.
   *
   * @returns Whether it was accepted.
   * @throws {Violation} If something is promised and not kept; anything else that is thrown is a violation, too.
   */
  check(input: Uint8Array): boolean | Promise<boolean>
}

/** A promise that a decoder breaks. */
export class Violation extends Error {
  override readonly name = 'Violation'
}

/** @throws {Violation} Unless `condition` holds. */
export function promised(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Violation(what)
}

/** Runs a decoder; `refused` stands for an error that its documentation names. */
export function attempt<T>(run: () => T, codes: readonly AssayErrorCode[]): T | typeof refused {
  try {
    return run()
  } catch (error) {
    if (AssayError.isInstance(error) && codes.includes(error.code)) return refused
    throw error
  }
}

/** {@link attempt} of what answers later. */
export async function attemptLater<T>(
  run: () => Promise<T>,
  codes: readonly AssayErrorCode[],
): Promise<T | typeof refused> {
  try {
    return await run()
  } catch (error) {
    return attempt(() => {
      throw error
    }, codes)
  }
}

export const refused = Symbol('refused')

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
