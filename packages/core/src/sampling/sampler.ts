/**
 * Decides which rows of a product are opened. Pure: the same seed and shape give the same plan to prover and verifier,
 * in every runtime. The verifier's copy of the plan is the one that counts.
 */
export interface Sampler {
  readonly name: string
  /** What a factory of the same name needs to make this sampler again; travels in the policy. */
  readonly parameters: Readonly<Record<string, number>>
  /**
   * @param seed - 32 bytes that the prover could not predict.
   * @param shape - The product.
   */
  plan(seed: Uint8Array, shape: UnitShape): SamplingPlan
  /**
   * Probability that the plan touches at least one corrupted entry, over uniformly random seeds.
   *
   * @param shape - The product.
   * @param corruption - Corrupted entries, placed anywhere.
   */
  detectionProbability(shape: UnitShape, corruption: Corruption): number
}

/** A product as the sampler sees it: C has shape [rows, n]. */
export interface UnitShape {
  readonly rows: number
  readonly k: number
  readonly n: number
  /** Whether B is a public weight, or an activation whose columns must be opened too. */
  readonly right: 'weight' | 'activation'
}

/** Rows and columns of C, ascending, without repetition. Without `columns`, the whole rows. */
export interface SamplingPlan {
  readonly rows: Uint32Array
  readonly columns?: Uint32Array
}

/** `rows` rows of C hold wrong values, each in `columns` places (all n when omitted). */
export interface Corruption {
  readonly rows: number
  readonly columns?: number
}

export type SamplerFactory = (parameters: Readonly<Record<string, number>>) => Sampler
