// The verifier's process: holds the weights of one workload, has a listener for each mode and one that only swallows
// messages, and says on request when it has checked a number of products.
import { tcp } from '@tensor-assay/transport-tcp'
import { createVerifier, memoryWeights } from '@tensor-assay/verifier'
import { type Audit, audits, policyOf } from './policies.ts'
import { type SeededTensor, valuesOf } from './seeded.ts'

/** From the prover's process. */
export type Request =
  | { readonly kind: 'serve'; readonly weights: readonly SeededTensor[]; readonly acceptActivations: boolean }
  | { readonly kind: 'tell-when-checked'; readonly products: number }

/** To the prover's process. */
export type Reply =
  | { readonly kind: 'serving'; readonly addresses: Readonly<Record<Audit | 'sink', string>> }
  | { readonly kind: 'checked' }

let checked = 0
let wanted = Number.POSITIVE_INFINITY

const reply = (message: Reply) => process.send?.(message)

function tellIfChecked(): void {
  if (checked < wanted) return
  wanted = Number.POSITIVE_INFINITY
  reply({ kind: 'checked' })
}

async function serve({ weights, acceptActivations }: Extract<Request, { kind: 'serve' }>): Promise<void> {
  const store = memoryWeights(weights.map((weight) => ({ ...weight, data: valuesOf(weight) })))
  const listenAs = async (audit: Audit) => {
    const verifier = createVerifier({
      weights: store,
      policy: policyOf(audit, acceptActivations),
      onEvent(event) {
        if (event.type !== 'checked') return
        checked++
        tellIfChecked()
      },
    })
    const listener = await tcp().listen('tcp://127.0.0.1:0', (channel) => void verifier.accept(channel))
    return [audit, listener.address] as const
  }
  const sink = await tcp().listen('tcp://127.0.0.1:0', async (channel) => {
    for await (const _ of channel);
    await channel.close()
  })
  const listening = Object.fromEntries(await Promise.all(audits.map(listenAs))) as Record<Audit, string>
  reply({ kind: 'serving', addresses: { ...listening, sink: sink.address } })
}

process.on('message', (request: Request) => {
  if (request.kind === 'serve') void serve(request)
  else {
    wanted = request.products
    tellIfChecked()
  }
})
process.on('disconnect', () => process.exit())
