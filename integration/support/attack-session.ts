import {
  AssayError,
  type AssayErrorCode,
  createIdentity,
  createProver,
  findingReasons,
  type Matrix,
  type Prover,
  recordManifest,
  rows,
  type Transport,
  type Verdict,
} from '@tensor-assay/core'
import {
  type Attack,
  type ComputationAttack,
  type DishonestOptions,
  dishonestBackend,
  dishonestChannel,
  type Expected,
  type Knowledge,
  memoryTransport,
} from '@tensor-assay/core/testing'
import { createVerifier, interactive, type Policy, spot } from '@tensor-assay/verifier'
import { expect } from 'vitest'
import type { Victim } from './victims.ts'

export interface AttackOptions extends DishonestOptions {
  /** What the verifier knows besides the weights. */
  readonly knows?: Knowledge | undefined
  /** Steps of each session; 1. */
  readonly steps?: number
  /** Where the verifier listens; in memory unless given. */
  readonly transport?: readonly [Transport, address: string]
}

/** What both sides say in the end; an error where the prover gave up before there was a session. */
export interface Outcome {
  readonly verifier: Verdict
  readonly prover: Verdict | AssayError
}

const alice = createIdentity()
const auditor = createIdentity()

/** Runs a victim's model in as many sessions as the attack takes, and returns what comes of the last. */
export async function runAttack(attack: Attack, victim: Victim, options: AttackOptions = {}): Promise<Outcome> {
  const { knows, steps = 1 } = options
  const inputs = Array.from({ length: steps }, (_, step) => victim.input(step))
  const outputs = Array.from({ length: steps }, (_, step) => victim.run(step))
  const manifest =
    knows === 'manifest'
      ? await recordManifest({ backend: victim.backend, weights: victim.store, runs: [() => victim.run(0)] })
      : undefined
  const verifier = createVerifier({
    weights: victim.store,
    policy: policyOf(attack, victim),
    ...(manifest && { manifest }),
    ...(knows === 'identities' && { identity: auditor, provers: [alice.fingerprint] }),
  })
  const [transport, address] = options.transport ?? [memoryTransport({ closeTimeoutMs: 500 }), 'memory:attacked']
  const bound = { ...(knows === 'input' && { inputs }), ...(knows === 'output' && { outputs }) }
  let outcome: Outcome | undefined
  const sessions = attack.kind === 'protocol' ? (attack.sessions ?? 1) : 1
  for (let session = 0; session < sessions; session++) {
    let theirs: Promise<Verdict> | undefined
    const listener = await transport.listen(address, (channel) => {
      theirs = verifier.accept(channel, bound)
    })
    const channel = await transport.dial(listener.address)
    const prover = await prove(
      {
        backend: attack.kind === 'computation' ? dishonestBackend(victim.backend, attack, options) : victim.backend,
        channel: attack.kind === 'protocol' ? dishonestChannel(channel, attack) : channel,
        handshakeTimeoutMs: 10_000,
        verdictTimeoutMs: 30_000,
        ...(knows === 'identities' && { identity: alice, verifiers: [auditor.fingerprint] }),
      },
      victim,
      outputs,
    )
    outcome = { prover, verifier: await theirs! }
    await listener.close()
  }
  return outcome!
}

/** How often an attack applies to the products of a run. */
export function liesTold(attack: ComputationAttack, victim: Victim, { steps = 1, ...options }: AttackOptions): number {
  const backend = dishonestBackend(victim.backend, attack, options)
  const interception = backend.intercept({ product: () => undefined, opaque: () => undefined })
  for (let step = 0; step < steps; step++) victim.run(step)
  interception.restore()
  return backend.lies
}

async function prove(
  options: Parameters<typeof createProver>[0],
  victim: Victim,
  outputs: readonly Matrix[],
): Promise<Outcome['prover']> {
  let prover: Prover
  try {
    prover = await createProver(options)
  } catch (error) {
    if (AssayError.isInstance(error)) return error
    throw error
  }
  for (const [step, output] of outputs.entries()) {
    // Whatever becomes of the audit, the user receives what the model gives.
    const received = await prover.audit(() => victim.run(step))
    expect(Buffer.compare(received.bytes, output.bytes)).toBe(0)
  }
  return prover.close()
}

/** Every row is opened, so that it is no chance whether a lie is seen; a protocol attack may choose among rows. */
function policyOf(attack: Attack, { acceptsActivations = false }: Victim): Policy {
  if (attack.kind === 'computation') {
    const sampler = rows({ atLeast: 10_000, columns: 10_000 })
    return interactive({ sampler, acceptActivations: acceptsActivations })
  }
  const { mode, everyRow, ...limits } = attack.policy ?? {}
  return mode === 'spot' ? spot(limits) : interactive({ sampler: rows({ atLeast: everyRow ? 10_000 : 8 }), ...limits })
}

/** Reasons whose messages begin with the code of the error. */
const coded: ReadonlySet<string> = new Set(['protocol-violation', 'no-common-ground'])

/** What one side said, in the words of {@link Expected}. */
export function said(side: Verdict | AssayError): Expected | 'limit' {
  if (AssayError.isInstance(side)) return side.code
  const [finding] = side.findings
  if (finding === undefined) return 'pass'
  const code = coded.has(finding.reason) ? finding.message.split(':')[0]! : finding.reason
  return code as AssayErrorCode
}

/** Fails unless the verdict is what is expected, for the reason that is expected. */
export function expectVerdict(verdict: Verdict, expected: Expected, says: Attack['says']): void {
  if (expected === 'limit' || expected === 'pass') {
    expect(verdict.findings).toEqual([])
    expect(verdict).toMatchObject(expected === 'limit' ? says! : { status: 'pass' })
    return
  }
  expect(said(verdict)).toBe(expected)
  const { reason } = verdict.findings[0]!
  if (expected in findingReasons) expect(reason).toBe(expected)
  else expect(coded).toContain(reason)
  expect(verdict.status).toBe(findingReasons[reason])
}
