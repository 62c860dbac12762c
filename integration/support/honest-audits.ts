import { tfjs } from '@tensor-assay/backend-tfjs'
import type { Backend, FindingReason, Verdict } from '@tensor-assay/core'
import { createVerifier, memoryWeights } from '@tensor-assay/verifier'
import { audit } from './audit.ts'
import { drawHonestProduct } from './honest-products.ts'
import { stream, withSeededSessions } from './random.ts'
import { type TfBackend, tensorFlow } from './tensorflow.ts'

export interface HonestAudits {
  readonly audits: number
  readonly passed: number
  /** Products without anything to check, each of which must be `inconclusive`. */
  readonly empty: number
  /** Products that their own operands leave no trace of, such as a small one in a sigmoid: `inconclusive` as well. */
  readonly untelling: number
  /** Audits of other products that are not empty and did not pass, by the reason of their worst finding. */
  readonly others: Readonly<Partial<Record<FindingReason, number>>>
  /** Verdicts that an honest run must not get, with what led to them. */
  readonly wrong: readonly { readonly seed: number; readonly product: string; readonly verdict: Verdict }[]
  /** Largest |error|/ν of any entry. */
  readonly largestRatio: number
}

export interface HonestAuditsOptions {
  readonly audits: number
  /** The seeds are `first`, `first` + 1, …; 0. */
  readonly first?: number
  /** Stands between TensorFlow.js and the prover. */
  readonly wrap?: (backend: Backend) => Backend
}

/** Audits one honest product after the other, each in a session of its own. */
export async function honestAudits(name: TfBackend, options: HonestAuditsOptions): Promise<HonestAudits> {
  const { audits, first = 0, wrap = (backend) => backend } = options
  const tf = await tensorFlow(name)
  const others: Partial<Record<FindingReason, number>> = {}
  const wrong: { seed: number; product: string; verdict: Verdict }[] = []
  let passed = 0
  let empty = 0
  let untelling = 0
  let largestRatio = 0
  for (let seed = first; seed < first + audits; seed++) {
    const product = drawHonestProduct(tf, name, stream('honest', seed))
    const verifier = createVerifier({ weights: memoryWeights(product.weights) })
    const { verifier: verdict } = await withSeededSessions(seed, () =>
      audit({ verifier, backend: wrap(tfjs(tf)), run: product.run }),
    )
    const reason = verdict.findings[0]?.reason
    largestRatio = Math.max(largestRatio, verdict.statistics.largestRatio)
    const isUntelling =
      verdict.coverage.untelling !== undefined && (reason === 'empty-product' || reason === 'nothing-sampled')
    if (product.isEmpty) empty++
    else if (isUntelling) untelling++
    else if (reason === undefined) passed++
    else others[reason] = (others[reason] ?? 0) + 1
    if (
      verdict.status === 'fail' ||
      verdict.status === 'incomplete' ||
      product.isEmpty !== (reason === 'empty-product' && !isUntelling)
    )
      wrong.push({ seed, product: product.description, verdict })
  }
  return { audits, passed, empty, untelling, others, wrong, largestRatio }
}
