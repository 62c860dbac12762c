import { type Backend, type Channel, createProver, type ProverOptions, type Verdict } from '@tensor-assay/core'
import { memoryTransport } from '@tensor-assay/core/testing'
import type { Verifier } from '@tensor-assay/verifier'

export interface Audit {
  readonly verifier: Verifier
  readonly backend: Backend
  /** What the prover runs, in one call of `audit`. */
  readonly run: () => unknown
  readonly prover?: Omit<ProverOptions, 'backend' | 'channel'>
  /** Stands between the verifier and its channel. */
  readonly wrap?: (channel: Channel) => Channel
}

/** One whole session over the in-memory transport; the verdict of each side. */
export async function audit({ verifier, backend, run, prover = {}, wrap = (channel) => channel }: Audit): Promise<{
  readonly prover: Verdict
  readonly verifier: Verdict
}> {
  const transport = memoryTransport()
  let theirs: Promise<Verdict> | undefined
  await using listener = await transport.listen('memory:audit', (channel) => {
    theirs = verifier.accept(wrap(channel))
  })
  const session = await createProver({ ...prover, backend, channel: await transport.dial(listener.address) })
  await session.audit(run)
  const mine = await session.close()
  return { prover: mine, verifier: await theirs! }
}
