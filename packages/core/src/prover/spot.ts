import type { ForeseenProduct, ForeseenRows } from '../backend.ts'
import type { Control } from '../codec/messages.ts'
import { isStepRead } from '../commitment/challenge.ts'
import type { Matrix } from '../matrix.ts'
import type { Product } from '../product.ts'
import type { SampledProduct } from '../sampling/opened-rows.ts'
import type { ProverLink } from './link.ts'
import { maxQueued, type ProverMode, queueOverflow } from './mode.ts'
import { pause } from './pause.ts'
import { digestVectors, opaqueRecord, productRecord, type RecordBase, shapeOf, type VectorDigests } from './recorder.ts'
import { spotPlans } from './spot-plans.ts'
import type { KnownWeights } from './weights.ts'

export interface SpotOptions {
  readonly link: ProverLink
  readonly weights: KnownWeights
  /** Bytes waiting to be sent, at most; beyond it operations are skipped, and said to be. */
  readonly maxRetainedBytes: number
  readonly onLost: (error: unknown) => void
}

type Sample = Control<'sample'>

interface Message {
  readonly control: Sample
  readonly segments: readonly Uint8Array[]
}

interface Queued {
  readonly message: Message | Promise<Message>
  readonly bytes: number
}

/** Messages that are sent in one turn, at most. */
const maxTogether = 64

/** Copies the sampled rows while the product is observed and sends them behind the model's back. */
export function spotMode({ link, weights, maxRetainedBytes, onLost }: SpotOptions): ProverMode {
  const { spotSeed, stepRate = 1 } = link.policy
  const seed = spotSeed!
  const allocate = (bytes: number) => new Uint8Array(bytes)
  const plans = spotPlans(link)
  const queue: Queued[] = []
  let retainedBytes = 0
  let sending: Promise<void> | undefined
  let stopped = false

  function enqueue(bytes: number, message: Queued['message']): void {
    // Whoever awaits it comes later, and may never come.
    if (message instanceof Promise) message.catch(() => undefined)
    if (stopped) return
    if (queue.length >= maxQueued) {
      onLost(queueOverflow())
      return
    }
    queue.push({ message, bytes })
    retainedBytes += bytes
    sending ??= send().catch(onLost)
  }

  /** Sends until nothing waits. What was recorded together leaves together, which saves the channel work. */
  async function send(): Promise<void> {
    try {
      while (queue.length > 0) {
        // Not in the caller's stack, which is the user's product, and not before what else is waiting.
        await pause()
        const batch = queue.splice(0, maxTogether)
        const messages = await Promise.all(batch.map(({ message }) => message))
        if (stopped) return
        await Promise.all(messages.map(({ control, segments }) => link.send('sample', control, segments)))
        for (const { bytes } of batch) retainedBytes -= bytes
      }
      plans.drawAhead()
    } finally {
      sending = undefined
    }
  }

  function foresee(sequence: number, product: ForeseenProduct): ForeseenRows {
    const identity = weights.identify(product.b)
    return identity instanceof Promise ? 'all' : plans.foresee(sequence, sampledOf(product, identity))
  }

  function product(base: RecordBase, observed: Product): void {
    const { a, b, c, addend } = observed
    const identity = weights.identify(b)
    const vectors = digestVectors(observed, weights)
    const first = 4 * base.sequence
    const tensors = { a: first, b: first + 1, c: first + 2, ...(addend && { addend: first + 3 }) }

    function message(digest: string | undefined, digests: VectorDigests, matrices: readonly Matrix[]): Message {
      const right = digest === undefined ? { tensor: tensors.b } : { digest }
      const record = productRecord(base, observed, digests, { ...tensors, b: right })
      const shapes = [shapeOf(tensors.a, a), shapeOf(tensors.c, c)]
      if (digest === undefined) shapes.push(shapeOf(tensors.b, b))
      if (addend) shapes.push(shapeOf(tensors.addend!, addend))
      return { control: { record, tensors: shapes }, segments: matrices.map(({ bytes }) => bytes) }
    }

    /** Reads at once; the promises are of backends whose data lives elsewhere. */
    function read(digest: string | undefined): (Matrix | Promise<Matrix>)[] {
      const opened = plans.take(base.sequence, sampledOf(observed, digest))
      const matrices = [a.read(opened.a, allocate), c.read(opened.c, allocate)]
      if (opened.b) matrices.push(b.read(opened.b, allocate))
      if (addend) matrices.push(addend.read(opened.addend, allocate))
      return matrices
    }

    if (retainedBytes >= maxRetainedBytes) {
      const reason = `${retainedBytes} bytes were waiting to be sent, of at most ${maxRetainedBytes}`
      opaque(opaqueRecord(base, observed, 'skipped', reason))
      return
    }
    const matrices = identity instanceof Promise ? identity.then(read) : read(identity)
    const bytes = Array.isArray(matrices)
      ? matrices.reduce((sum, matrix) => sum + ('bytes' in matrix ? matrix.bytes.length : 0), 0)
      : 0
    const areHere = Array.isArray(matrices) && matrices.every((matrix): matrix is Matrix => 'bytes' in matrix)
    if (areHere && !(identity instanceof Promise) && !(vectors instanceof Promise)) {
      enqueue(bytes, message(identity, vectors, matrices))
      return
    }
    const later = async () => message(await identity, await vectors, await Promise.all(await matrices))
    enqueue(bytes, later())
  }

  function opaque(record: Sample['record']): void {
    enqueue(0, { control: { record, tensors: [] }, segments: [] })
  }

  return {
    product,
    opaque,
    skips: (step) => !isStepRead(seed, link.session, step, stepRate),
    foresee,
    drained: async () => sending,
    // The policy handed the seed over, so there is nothing left to be unfair about.
    fair: () => true,
    async ready() {
      if (retainedBytes >= maxRetainedBytes) await sending
    },
    stop() {
      stopped = true
      queue.length = 0
    },
  }
}

function sampledOf({ layout, addend }: ForeseenProduct, digest: string | undefined): SampledProduct {
  return { layout, right: digest === undefined ? 'activation' : 'weight', hasAddend: addend !== undefined }
}
