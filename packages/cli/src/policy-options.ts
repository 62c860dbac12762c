import { rows } from '@tensor-assay/core'
import type { Policy } from '@tensor-assay/verifier'
import type { Given, Option } from './arguments/options.ts'
import { fraction, oneOf, wholeNumber } from './arguments/values.ts'
import { Complaint } from './complaint.ts'
import { loadCalibration } from './inputs.ts'

/** Options that set what is demanded of a run, in sessions and receipts alike. */
export const policyOptions = {
  rows: { value: 'N', help: 'rows opened of each product, at least' },
  rate: { value: 'R', help: 'fraction of the rows opened of each product, at least; 0.001' },
  vectors: { value: 'N', help: 'random projections of each opened row' },
  entries: { value: 'N', help: 'entries recomputed exactly in each opened row; 64' },
  suite: { value: 'NAME', help: 'hash of the commitments: sha256, or the faster blake3; sha256' },
  calibration: {
    value: 'FILE',
    many: 'repeated',
    help: 'tighter limits for the engine that is expected: assay calibrate',
  },
  'accept-activations': { help: 'accept products whose B is no known weight, and tensors added to products' },
  'accept-rounding': { help: 'accept operations that round A to 8 bits in blocks before they multiply' },
} as const satisfies Record<string, Option>

type Settings = Partial<Omit<Policy, 'mode' | 'operationRate'>>

/**
 * The policy that was asked for.
 *
 * @param make - What the verifier offers for the mode; its defaults hold for what was not given.
 * @throws {Complaint} If values are out of range, or leave nothing to check.
 * @throws {AssayError} `calibration-malformed`.
 */
export async function policyOf(
  given: Given<keyof typeof policyOptions>,
  make: (settings: Settings) => Policy,
): Promise<Policy> {
  const atLeast = wholeNumber('rows', given.one('rows'), 1)
  const rate = fraction('rate', given.one('rate'))
  const vectors = wholeNumber('vectors', given.one('vectors'), 0)
  const entries = wholeNumber('entries', given.one('entries'), 0)
  const suite = oneOf('suite', given.one('suite'), ['sha256', 'blake3'])
  const calibration = []
  for (const path of given.all('calibration')) calibration.push(await loadCalibration(path))
  try {
    return make({
      sampler: rows({ ...make({}).sampler.parameters, ...(atLeast && { atLeast }), ...(rate && { rate }) }),
      ...(vectors !== undefined && { vectors }),
      ...(entries !== undefined && { entries }),
      ...(suite && { suite }),
      calibration,
      ...(given.has('accept-activations') && { acceptActivations: true }),
      ...(given.has('accept-rounding') && { acceptRounding: true }),
    })
  } catch (error) {
    if (error instanceof RangeError) throw new Complaint(error.message)
    throw error
  }
}
