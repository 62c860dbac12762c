import { AssayError, type AssayErrorCode } from '@tensor-assay/core'
import { printable } from '@tensor-assay/verifier'

/** The user asked for something that cannot be done: one line that says what was expected, what came, and what to do. */
export class Complaint extends Error {
  override readonly name = 'Complaint'
}

/** What to do about errors whose messages do not say it themselves. */
const advice: Partial<Record<AssayErrorCode, string>> = {
  'address-unavailable': 'choose another address, port 0 for a free one, or end what listens there',
  'manifest-malformed': 'make the file anew by recordManifest',
  'calibration-malformed': 'make the file anew by assay calibrate',
  'identity-unusable': 'assay identity FILE makes one',
}

/** One line for what the user or the world did wrong; a defect of ours with its stack. */
export function complaintOf(error: unknown): string {
  if (error instanceof Complaint) return printable(error.message, 1000)
  if (AssayError.isInstance(error) && error.code !== 'internal') {
    const todo = advice[error.code]
    return printable(todo === undefined ? error.message : `${error.message}; ${todo}`, 1000)
  }
  return `this is a defect of assay, please report it: ${error instanceof Error ? error.stack : String(error)}`
}
