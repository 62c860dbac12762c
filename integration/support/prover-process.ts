// A prover in a process of its own: runs the model for some steps, audited if it is given an address, and sends the hash of
// all outputs. With a hold it stops where it is told to, says so, and goes on if it is told to.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { tfjs } from '@tensor-assay/backend-tfjs'
import { AssayError, createProver, type MessageType, type Prover } from '@tensor-assay/core'
import { tcp } from '@tensor-assay/transport-tcp'
import { inputOf, layers } from './model.ts'
import { tensorFlow } from './tensorflow.ts'
import { type Passage, watchedChannel } from './watched-channel.ts'

const [address, holdPassage, holdType, patience] = process.argv.slice(2) as [
  address?: string,
  holdPassage?: Passage | 'step',
  holdType?: MessageType,
  patienceMs?: string,
]
const steps = 6
const tf = await tensorFlow('cpu')
const [first, second] = layers.map(({ data, shape }) => tf.tensor2d(data, [...shape]))
const outputs = createHash('sha256')

let prover: Prover | undefined
let refusal: string | undefined
try {
  if (address !== undefined) {
    const patienceMs = Number(patience ?? 60_000)
    prover = await createProver({
      backend: tfjs(tf),
      channel: await dial(address),
      handshakeTimeoutMs: patienceMs,
      verdictTimeoutMs: patienceMs,
    })
  }
} catch (error) {
  if (!AssayError.isInstance(error)) throw error
  // Without an audit the model runs all the same.
  refusal = error.code
}
for (let step = 0; step < steps; step++) {
  if (holdPassage === 'step' && step === steps / 2) await hold()
  const run = async () => {
    const hidden = tf.fused.matMul({ a: tf.tensor2d(inputOf(step), [16, 24]), b: first!, activation: 'relu' })
    return tf.matMul(hidden, second!).data()
  }
  outputs.update(await (prover ? prover.audit(run) : run()))
}
const verdict = await prover?.close()
process.send?.({ result: { outputs: outputs.digest('hex'), verdict, refusal } })
process.disconnect?.()

async function dial(to: string) {
  let isHeld = false
  return watchedChannel(await tcp().dial(to), (passage, type) => {
    if (isHeld || passage !== holdPassage || type !== holdType) return
    isHeld = true
    return hold()
  })
}

async function hold(): Promise<void> {
  process.send?.({ held: true })
  await once(process, 'message')
}
