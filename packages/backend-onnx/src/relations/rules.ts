import { activationRules } from './activations.ts'
import { elementwiseRules } from './elementwise.ts'
import { normalizationRules } from './normalizations.ts'
import type { Rule } from './occurrence.ts'
import { poolingRules } from './pooling.ts'
import { reductionRules } from './reductions.ts'
import { viewRules } from './views.ts'

/** How outputs of operators are stated, by `domain:type`. */
export const rules: ReadonlyMap<string, Rule> = new Map([
  ...viewRules,
  ...elementwiseRules,
  ...activationRules,
  ...normalizationRules,
  ...reductionRules,
  ...poolingRules,
])
