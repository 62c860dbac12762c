import { grid } from '@tensor-assay/core'
import { interactive, type Policy, spot } from '@tensor-assay/verifier'

/** The audits that are measured. */
export const audits = ['spot', 'spot, 1 step in 16', 'interactive'] as const

export type Audit = (typeof audits)[number]

/** `spot` at the rates of the founding notebook, which this sampler rounds up to a row; `interactive` as it comes. */
export function policyOf(audit: Audit, acceptActivations: boolean): Policy {
  if (audit === 'interactive') return interactive({ acceptActivations })
  const operationRate = audit === 'spot' ? 1 : 1 / 16
  return spot({ acceptActivations, operationRate, sampler: grid({ rowRate: 0.001, columnRate: 0.01, atLeast: 1 }) })
}
