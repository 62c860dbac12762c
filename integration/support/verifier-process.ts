// A verifier in a process of its own. Sends its address, then every verdict. With a hold it stops for good in the middle of
// its first session, says so, and waits for the end.
import type { MessageType } from '@tensor-assay/core'
import { tcp } from '@tensor-assay/transport-tcp'
import { createVerifier } from '@tensor-assay/verifier'
import { modelWeights } from './model.ts'
import { type Passage, watchedChannel } from './watched-channel.ts'

const [holdPassage, holdType] = process.argv.slice(2) as [Passage?, MessageType?]
const verifier = createVerifier({ weights: modelWeights })
const listener = await tcp().listen('tcp://127.0.0.1:0', async (channel) => {
  const watched = watchedChannel(channel, (passage, type) => {
    if (passage !== holdPassage || type !== holdType) return
    process.send?.({ held: true })
    return new Promise(() => {})
  })
  process.send?.({ verdict: await verifier.accept(watched) })
})
process.send?.({ address: listener.address })
process.on('disconnect', () => void listener.close())
