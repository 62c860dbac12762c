import { grid, type Mode } from '@tensor-assay/core'
import { interactive, type Policy, spot } from '@tensor-assay/verifier'

/** `spot` at the rates of the founding notebook, which this sampler rounds up to a row; `interactive` as it comes. */
export function policyOf(mode: Mode, acceptActivations: boolean): Policy {
  if (mode === 'interactive') return interactive({ acceptActivations })
  return spot({ acceptActivations, sampler: grid({ rowRate: 0.001, columnRate: 0.01, atLeast: 1 }) })
}
