import type { WeightStore } from '@tensor-assay/core'
import { type LoadedWeights, weightStore } from './store.ts'

/**
 * One store over several, in the order given: where two hold the same bytes, `find` gives the earlier.
 *
 * @example
 * ```ts
 * const store = combineWeights(await weights('model.safetensors'), await npyWeights('head.npy'))
 * ```
 */
export function combineWeights(...stores: readonly (WeightStore & Partial<LoadedWeights>)[]): LoadedWeights {
  return weightStore(
    stores.flatMap((store) => store.weights),
    stores.flatMap((store) => store.skipped ?? []),
  )
}
