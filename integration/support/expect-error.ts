import { AssayError, type AssayErrorCode } from '@tensor-assay/core'
import { expect } from 'vitest'

/** Expects `promise` to fail with an AssayError of `code` whose message matches. */
export async function expectError(promise: Promise<unknown>, code: AssayErrorCode, message: RegExp): Promise<void> {
  const error = await promise.then(
    () => expect.fail(`expected ${code}, but it was accepted`),
    (reason) => reason,
  )
  if (!AssayError.isInstance(error)) throw error
  expect({ code: error.code, message: error.message }).toEqual({ code, message: expect.stringMatching(message) })
}
