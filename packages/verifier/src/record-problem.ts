import { bytesToHex } from '@noble/hashes/utils.js'
import {
  bytesPerElement,
  type FindingReason,
  type ProductRecord,
  rowCounts,
  type TensorShape,
  type WeightStore,
} from '@tensor-assay/core'
import type { Policy } from './policy.ts'

export interface RecordProblem {
  readonly reason: FindingReason
  readonly message: string
}

/** Largest number of elements of one tensor: beyond it sizes are not exact in float64 arithmetic on indices. */
const maxElements = 2 ** 48

interface Tensors {
  readonly a: TensorShape | undefined
  readonly b: TensorShape | undefined
  readonly c: TensorShape | undefined
}

/** What is wrong with a record before anything is opened: its shapes, tensors, weights and arithmetic. */
export function recordProblem(
  record: ProductRecord,
  tensors: Tensors,
  policy: Policy,
  store: WeightStore,
): RecordProblem | undefined {
  const problem = (reason: FindingReason, message: string): RecordProblem => ({ reason, message })
  const { layout, profile } = record
  const { m, k, n } = layout
  let counts: ReturnType<typeof rowCounts>
  try {
    counts = rowCounts(layout)
  } catch (error) {
    return problem('record-malformed', (error as Error).message)
  }
  const { rows, aRows, matrices } = counts
  if (![rows * n, aRows * k, matrices * k * n].every((elements) => elements <= maxElements)) {
    return problem('record-malformed', `a product of ${m}×${k}×${n} in ${rows} rows is beyond all limits`)
  }
  if (!policy.profiles.includes(profile)) {
    return problem(
      'profile-refused',
      `the policy accepts ${policy.profiles.join(', ')}, the prover declares ${profile}`,
    )
  }
  const dtype = profile
  const expected = { a: [aRows, k], c: [rows, n], b: [matrices * n, k] } as const
  for (const name of ['a', 'c', 'b'] as const) {
    if (name === 'b' && record.b.kind === 'weight') continue
    const tensor = tensors[name]
    if (tensor === undefined)
      return problem('tensor-unknown', `${name.toUpperCase()} is a tensor that was never committed to`)
    const [r, c] = expected[name]
    if (tensor.rows !== r || tensor.cols !== c || tensor.dtype !== dtype) {
      return problem(
        'record-malformed',
        `${name.toUpperCase()} must be ${dtype} ${r}×${c}, the prover committed to ${tensor.dtype} ${tensor.rows}×${tensor.cols}`,
      )
    }
  }
  if (record.b.kind === 'activation') {
    if (policy.acceptActivations) return undefined
    return problem('activation-refused', 'B is not a weight that this verifier holds, and the policy accepts no other')
  }
  const wrongWeight = (
    digest: Uint8Array,
    elements: number,
    lastDimensions: readonly number[] | undefined,
    what: string,
  ) => {
    const weight = store.find(bytesToHex(digest))
    if (weight === undefined)
      return problem('weight-unknown', `${what} has digest ${bytesToHex(digest)}, which this verifier does not hold`)
    if (weight.dtype !== dtype || weight.byteLength !== elements * bytesPerElement[dtype]) {
      return problem(
        'weight-mismatch',
        `${what} must be ${elements} elements of ${dtype}; ${weight.name} is ${weight.dtype} [${weight.shape}]`,
      )
    }
    if (lastDimensions && weight.shape.length >= 2 && !lastDimensions.includes(weight.shape.at(-1)!)) {
      return problem(
        'weight-mismatch',
        `${what} is used as [${k}, ${n}]${lastDimensions[0] === k ? ' transposed' : ''}; ${weight.name} has shape [${weight.shape}]`,
      )
    }
    return undefined
  }
  const { digest, transposed } = record.b
  return (
    wrongWeight(digest, matrices * k * n, [transposed ? k : n], 'B') ??
    (record.bias && wrongVector(record.bias, 'the bias')) ??
    (record.activation.name === 'prelu' ? wrongVector(record.activation.slopes, 'the slopes') : undefined)
  )

  function wrongVector(vector: { digest: Uint8Array; length: number }, what: string): RecordProblem | undefined {
    if (vector.length !== n && vector.length !== 1) {
      return problem('record-malformed', `${what} must have ${n} elements or one, the prover states ${vector.length}`)
    }
    return wrongWeight(vector.digest, vector.length, undefined, what)
  }
}
