import {
  type Control,
  challengeSeed,
  commitTensor,
  encodeMessage,
  encodeReceipt,
  type Identity,
  leafRowsOf,
  type Matrix,
  type MessageType,
  openedRows,
  openRows,
  protocolVersion,
  receiptKey,
  rows,
  rowsToOpen,
  sampledProduct,
  sessionId,
  sha256,
  sign,
  statements,
  transcript,
  unitShape,
  weightList,
} from '@tensor-assay/core'
import { receipt } from '../../src/index.ts'
import { bytesOf, record, store } from './hand-prover.ts'

/** Rows enough that others are opened where the challenge is another. */
const [m, k, n] = [4096, 4, 5]
const sampler = rows({ atLeast: 4, rate: 0 })
export const iterations = 2

export const policy = receipt({ sampler, iterations })

const a = Float32Array.from({ length: m * k }, (_, i) => Math.sin(3 + i * i))
const b = new Float32Array((await store.weights[0]!.read()).buffer)
const c = Float32Array.from({ length: m * n }, (_, i) => {
  let sum = 0
  for (let t = 0; t < k; t++) sum += a[Math.floor(i / n) * k + t]! * b[t * n + (i % n)]!
  return sum
})
const matrix = (cols: number, data: Float32Array): Matrix => ({ rows: m, cols, dtype: 'float32', bytes: bytesOf(data) })
const contents = [matrix(k, a), matrix(n, c)]

export interface Forgery {
  readonly identity?: Identity
  readonly terms?: Partial<Control<'policy'>>
  readonly open?: Partial<Control<'open'>>
  /** Operations of the first commitment; 2. */
  readonly operations?: number
  /** Operations that are committed to after the first opening, and opened then. */
  readonly late?: number
  /** What the challenges come from; what was committed to, as it must be, unless given. */
  readonly challengedBy?: (session: Uint8Array) => Uint8Array
  /** Operations that are not opened. */
  readonly unopened?: readonly number[]
  readonly closeSignature?: Uint8Array
}

/** A receipt made by hand: all that it says fits together, but for what is asked of it. */
export async function handReceipt(forgery: Forgery = {}): Promise<Uint8Array> {
  const { identity, operations = 2, late = 0, unopened = [] } = forgery
  const said = transcript(sha256, 'prover')
  const messages: Uint8Array[] = []

  function say<T extends MessageType>(type: T, control: Control<T>, segments: readonly Uint8Array[] = []): void {
    const bytes = new Uint8Array(Buffer.concat(encodeMessage(type, control, segments)))
    messages.push(bytes)
    if (type !== 'policy') said.append([bytes])
  }

  const offers = { versions: [1], suites: ['sha256'], modes: ['receipt'], samplers: ['rows'] }
  say('hello', { ...offers, nonce: new Uint8Array(32), backend: 'hand', ...(identity && { key: identity.publicKey }) })
  say('policy', {
    ...{ version: protocolVersion, mode: 'receipt', suite: 'sha256', nonce: new Uint8Array(32), iterations },
    ...{ sampler: { name: 'rows', parameters: { ...sampler.parameters } }, window: 1, weights: weightList(store) },
    ...forgery.terms,
  })
  const session = sessionId(sha256, [messages[0]!], [messages[1]!])
  const signature = identity && sign(identity, statements.session(session, 'prover'))
  say('open', { session, ...(signature && { signature }), ...forgery.open })

  const tensorOf = (tensor: number) => {
    const content = contents[tensor % 2]!
    const leafRows = leafRowsOf(content)
    return commitTensor(sha256, { session, tensor, matrix: content, leafRows, saltKey: new Uint8Array(32) })
  }
  const recordOf = (sequence: number) =>
    record(sequence, { layout: { kind: 'matmul', m, k, n, aBatch: [], bBatch: [] } })

  function commit(from: number, count: number): void {
    const numbers = Array.from({ length: 2 * count }, (_, i) => 2 * from + i)
    const tensors = numbers.map((tensor) => {
      const { rows, cols, dtype } = contents[tensor % 2]!
      return { tensor, rows, cols, dtype, root: tensorOf(tensor).root }
    })
    say('commit', { records: Array.from({ length: count }, (_, i) => recordOf(from + i)), tensors })
  }

  commit(0, operations)
  const head = forgery.challengedBy?.(session) ?? said.head
  const key = await receiptKey(head, iterations)
  for (let sequence = 0; sequence < operations + late; sequence++) {
    if (sequence === 1 && late > 0) commit(operations, late)
    if (unopened.includes(sequence)) continue
    const sampled = sampledProduct(recordOf(sequence))
    const opened = openedRows(sampled, sampler.plan(challengeSeed(key, head, sequence), unitShape(sampled)))
    const parts = [opened.a, opened.c].map((indices, i) =>
      openRows(contents[i]!, tensorOf(2 * sequence + i), rowsToOpen(indices, contents[i]!)),
    )
    const [left, right] = parts
    say(
      'opening',
      { sequence, a: left!.opening, c: right!.opening },
      parts.map(({ bytes }) => bytes),
    )
  }
  const { head: last } = said
  const counted = operations + late
  const end = identity && (forgery.closeSignature ?? sign(identity, statements.close(session, last, counted)))
  say('close', { operations: counted, transcript: last, ...(end && { signature: end }) })
  return encodeReceipt(messages)
}
