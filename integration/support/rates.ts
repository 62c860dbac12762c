import type { ProverOptions, RandomStream, Verdict } from '@tensor-assay/core'
import { createVerifier, memoryWeights, type Policy } from '@tensor-assay/verifier'
import { audit } from './audit.ts'
import { binomialInterval, type Interval } from './binomial.ts'
import { type Corruption, norm } from './corruptions.ts'
import { multiply, type Plain, plain, plainLibrary } from './plain-backend.ts'
import { normal, stream, withSeededSessions } from './random.ts'

/** A session in which some rows are wrong, and what its verdict claims to notice of it. */
export interface Experiment {
  readonly name: string
  readonly policy: Policy
  readonly samplers?: ProverOptions['samplers']
  /** The products of the session, each with a weight of its own: [m, k, n]. */
  readonly shapes: readonly (readonly [number, number, number])[]
  /** Draws the wrong rows of each product. */
  readonly wrongRows: (random: RandomStream) => readonly (readonly number[])[]
  readonly corruption: Corruption
  /** The probability that the verdict states for such wrong rows, provided that they are seen once they are opened. */
  readonly stated: (detection: Verdict['detection']) => number
}

export interface Rate {
  readonly audits: number
  /** Audits that failed. */
  readonly caught: number
  /**
   * The probability of that, as the verdicts claim it, on average: what they state times their power. They state it for
   * a session of which nobody knows yet what will be audited; those that found nothing audited in the end say 0, and are
   * left out here.
   */
  readonly claimed: number
  /** What they state without the power: no wrong row is seen that is not opened. */
  readonly ceiling: number
  /** Where the true probability lies, exactly, but for one measurement in a million. */
  readonly measured: Interval
}

/** Chance that a measurement of a true claim contradicts it. */
export const contradiction = 1e-6

/** Whether the verdicts claim more than they can have found. */
export function claimsTooMuch({ claimed, measured }: Rate): boolean {
  return claimed > measured.high
}

/** Whether more was found than the rows that are opened can show, so that the claim is not about this experiment. */
export function claimsTooLittle({ ceiling, measured }: Rate): boolean {
  return ceiling < measured.low
}

/** Runs the session `audits` times, each with random numbers of its own. */
export async function measure(experiment: Experiment, audits: number, seed = 0): Promise<Rate> {
  const { policy, shapes, samplers } = experiment
  const products = shapes.map(([m, k, n], i) => {
    const random = stream(`rates ${experiment.name}`, seed, i)
    const a = plain(m, k, () => normal(random))
    const b = plain(k, n, () => normal(random))
    return { a, b, c: multiply(a, b) }
  })
  const weights = memoryWeights(products.map(({ b }, i) => ({ name: `${i}`, shape: [b.rows, b.cols], data: b.data })))
  const verifier = createVerifier({ weights, policy })
  let caught = 0
  let claimed = 0
  let ceiling = 0
  let claims = 0
  for (let i = 0; i < audits; i++) {
    const random = stream(`rates ${experiment.name}`, seed, shapes.length + i)
    const wrong = experiment.wrongRows(random)
    const spoiled = products.map((product, p) => spoil(product, wrong[p] ?? [], experiment, random))
    const library = plainLibrary(
      (_, sequence) => ({ c: spoiled[sequence]!.c }),
      (a) => products.find((product) => product.a === a)!.c,
    )
    const { verifier: verdict } = await withSeededSessions(seed + i, () =>
      audit({
        verifier,
        backend: library.backend,
        run: () => products.map(({ a, b }) => library.matMul(a, b)),
        ...(samplers === undefined ? {} : { prover: { samplers } }),
      }),
    )
    if (verdict.status === 'fail') caught++
    const unexpected = verdict.findings.find(({ reason }) => !reasonable.includes(reason))
    if (unexpected) throw new Error(`${experiment.name}, audit ${i}: ${unexpected.reason}: ${unexpected.message}`)
    const { detection } = verdict
    if (verdict.coverage.audited > 0) claims++
    const smallest = Math.min(...spoiled.map((product) => product.error))
    // Without a visible error the claim is about rows that are wrong in every entry, as those of such experiments are.
    const isVisible = detection.visibleError === undefined || smallest >= detection.visibleError
    ceiling += experiment.stated(detection)
    claimed += isVisible ? experiment.stated(detection) * detection.power : 0
  }
  const measured = binomialInterval(caught, audits, contradiction)
  return { audits, caught, claimed: claimed / claims, ceiling: ceiling / claims, measured }
}

/** Whatever else a verdict finds is a defect of the experiment. */
const reasonable: readonly string[] = ['value-out-of-tolerance', 'values-biased', 'nothing-sampled']

interface Product {
  readonly a: Plain
  readonly b: Plain
  readonly c: Plain
}

/** C with wrong rows, and ‖d‖₂/‖c‖₂ of the row that is least wrong. */
function spoil({ a, b, c }: Product, wrong: readonly number[], { corruption }: Experiment, random: RandomStream) {
  const data = c.data.slice()
  let error = Number.POSITIVE_INFINITY
  for (const row of wrong) {
    const values = data.subarray(row * c.cols, (row + 1) * c.cols)
    corruption({ a, b, row, c: values, random })
    const honest = c.data.subarray(row * c.cols, (row + 1) * c.cols)
    error = Math.min(error, norm(honest.map((value, j) => value - values[j]!)) / norm(values))
  }
  return { c: { ...c, data }, error }
}
