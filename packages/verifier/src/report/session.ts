import type { Verdict } from '@tensor-assay/core'
import { entry, hanging, type Line, printable } from './text.ts'

/** What each claim is worth, and against whom. */
const claimSentences: Readonly<Record<Verdict['claim'], string>> = {
  adversarial:
    'holds against a prover that adapts to everything it saw before it committed. It is no proof that the run is right: ' +
    'rows that were not drawn and errors within the tolerance go unseen',
  fault: 'finds accidents. A prover that means to cheat knows which rows to get right',
  cost: 'a price, no proof: whoever means to cheat tries again until the challenges miss what is wrong, and pays for each',
  none: 'nothing: no verdict of a verifier arrived',
}

function claimOf({ claim, coverage }: Verdict): string {
  return claim !== 'none' && coverage.audited === 0 ? 'nothing: not one product was audited' : claimSentences[claim]
}

/** Which session it was, what its verdict is worth, and who stands behind it. */
export function sessionLines(verdict: Verdict, width: number): Line[] {
  const { mode, session } = verdict
  const id = session === '' ? 'none was opened' : printable(session, 64)
  return [
    ...(mode === 'none' ? [] : entry('mode', mode, width)),
    ...entry('claim', claimOf(verdict), width),
    ...entry('session', id, width),
    ...(verdict.transcript === '' ? [] : entry('transcript', printable(verdict.transcript, 64), width)),
    ...signatureLines(verdict, width),
  ]
}

function signatureLines(verdict: Verdict, width: number): Line[] {
  const { prover, verifier, claim } = verdict
  if (claim === 'none') return []
  if (prover === undefined && verifier === undefined) return entry('signed by', 'nobody', width)
  const verb = isTrusted(verdict) ? 'signed by' : 'names'
  const line = (role: string, fingerprint: string | undefined) =>
    fingerprint === undefined ? [] : hanging(`  ${verb} the ${role} `, printable(fingerprint, 80), width)
  return [...line('prover', prover), ...line('verifier', verifier)]
}

/** Whether no signature is in doubt, as far as the findings listed say. */
function isTrusted({ findings, findingCount }: Verdict): boolean {
  const doubts = findings.some(({ reason }) => reason === 'peer-untrusted' || reason === 'verdict-untrusted')
  return !doubts && findings.length === findingCount
}
