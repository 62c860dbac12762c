import type { Verdict } from '@tensor-assay/core'
import { type TcpOptions, tcp } from '@tensor-assay/transport-tcp'
import { createVerifier, type Policy } from '@tensor-assay/verifier'
import { modelWeights } from './model.ts'
import { plainSession } from './plain-session.ts'

/** A verifier of the model that listens on TCP. */
export interface Service extends AsyncDisposable {
  readonly address: string
  /** In the order in which the sessions ended. */
  readonly verdicts: readonly Verdict[]
  /** What became of connections that never were sessions. */
  readonly errors: readonly Error[]
  /** Runs `disturbance` while an honest session is under way, and says how that session and one after it end. */
  undisturbed(disturbance: () => Promise<void>): Promise<readonly [during: Verdict, after: Verdict]>
}

export async function service(policy?: Policy, options: TcpOptions = {}): Promise<Service> {
  const verdicts: Verdict[] = []
  const errors: Error[] = []
  const transport = tcp({ ...options, onError: (error) => errors.push(error) })
  const verifier = createVerifier({ weights: modelWeights, ...(policy === undefined ? {} : { policy }) })
  const listener = await transport.listen('tcp://127.0.0.1:0', async (channel) => {
    verdicts.push(await verifier.accept(channel))
  })
  const open = async () => plainSession(await tcp().dial(listener.address))
  return {
    address: listener.address,
    verdicts,
    errors,
    async undisturbed(disturbance) {
      const during = await open()
      await during.step()
      await disturbance()
      await during.step()
      const first = await during.close()
      const after = await open()
      await after.step()
      return [first, await after.close()]
    },
    [Symbol.asyncDispose]: () => listener.close(),
  }
}
