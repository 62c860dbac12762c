import { AssayError, type AssayErrorCode } from '../errors.ts'

/** What a conformance case throws: the implementation under test breaks its contract. */
export class ConformanceError extends Error {
  override readonly name = 'ConformanceError'
}

/** `node:assert` in miniature, because the cases run in browsers too. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new ConformanceError(message)
}

export function assertEqual(actual: unknown, expected: unknown, what: string): void {
  assert(Object.is(actual, expected), `${what}: expected ${String(expected)}, got ${String(actual)}`)
}

export function assertBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  assertEqual(actual.byteLength, expected.byteLength, `${what}, length in bytes`)
  const differs = expected.findIndex((byte, i) => actual[i] !== byte)
  assert(differs === -1, `${what}: byte ${differs} is ${actual[differs]}, expected ${expected[differs]}`)
}

/** Passes if `promise` rejects with an {@link AssayError} of this code, which is returned. */
export async function assertRejects(
  promise: Promise<unknown>,
  code: AssayErrorCode,
  what: string,
): Promise<AssayError> {
  const error = await promise.then(
    (value) => new ConformanceError(`${what}: expected ${code}, but it succeeded with ${String(value)}`),
    (reason: unknown) => reason,
  )
  if (error instanceof ConformanceError) throw error
  assert(AssayError.isInstance(error), `${what}: expected an AssayError ${code}, got ${String(error)}`)
  assert(error.code === code, `${what}: expected ${code}, got ${error.code}: ${error.message}`)
  return error
}
