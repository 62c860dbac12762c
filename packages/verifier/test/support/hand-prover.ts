import { hexToBytes } from '@noble/hashes/utils.js'
import {
  AssayError,
  type Channel,
  type CommittedTensor,
  type Control,
  commitTensor,
  decodeMessage,
  encodeMessage,
  type Identity,
  leafRowsOf,
  type Manifest,
  type Matrix,
  type Message,
  type MessageType,
  openedRows,
  openRows,
  type ProductRecord,
  type ProtocolMessage,
  rowsToOpen,
  sessionId,
  sha256,
  sign,
  statements,
  transcript,
  unitShape,
  type Verdict,
} from '@tensor-assay/core'
import { interactive, memoryWeights, type Policy } from '../../src/index.ts'
import { preparedWeights } from '../../src/prepared-weights.ts'
import { Session } from '../../src/session.ts'

const [m, k, n] = [8, 4, 5]
const wave = (i: number) => Math.sin(1 + i * i)
const b = Float32Array.from({ length: k * n }, (_, i) => wave(i))

export const store = memoryWeights([{ name: 'w', shape: [k, n], data: b }])

export const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)
const matrix = (rows: number, cols: number, data: Float32Array): Matrix => ({
  rows,
  cols,
  dtype: 'float32',
  bytes: bytesOf(data),
})

export const a = matrix(
  m,
  k,
  Float32Array.from({ length: m * k }, (_, i) => wave(2 * i + 1)),
)

/** A·B as an honest engine has it. */
export function productOf(left: Matrix): Matrix {
  const values = new Float32Array(left.bytes.buffer, left.bytes.byteOffset, m * k)
  const c = Float32Array.from({ length: m * n }, (_, i) => {
    let sum = 0
    for (let t = 0; t < k; t++) sum += values[Math.floor(i / n) * k + t]! * b[t * n + (i % n)]!
    return sum
  })
  return matrix(m, n, c)
}

export function record(sequence: number, changes: Partial<ProductRecord> = {}): ProductRecord {
  return {
    kind: 'product',
    sequence,
    step: 0,
    operation: 'matMul',
    layout: { kind: 'matmul', m, k, n, aBatch: [], bBatch: [] },
    a: 2 * sequence,
    b: { kind: 'weight', digest: hexToBytes(store.weights[0]!.digest), transposed: false },
    c: 2 * sequence + 1,
    alpha: 1,
    activation: { name: 'linear' },
    profile: 'float32',
    ...changes,
  }
}

export interface HandOptions {
  readonly policy?: Policy
  readonly manifest?: Manifest
  readonly inputs?: readonly Matrix[]
  readonly outputs?: readonly Matrix[]
  readonly identity?: Identity
  readonly provers?: readonly string[]
  /** Of the prover. */
  readonly key?: Identity
}

/** A session of which a test is the prover, message by message. */
export class HandProver {
  readonly session: Session
  readonly answers: ProtocolMessage[] = []
  id = new Uint8Array(32)
  readonly said = transcript(sha256, 'prover')
  private readonly options: HandOptions
  private readonly committed = new Map<number, { readonly matrix: Matrix; readonly committed: CommittedTensor }>()
  private helloBytes = new Uint8Array(0)
  private policyBytes = new Uint8Array(0)

  constructor(options: HandOptions = {}) {
    const { policy = interactive(), manifest, inputs = [], outputs = [], identity, provers } = options
    this.options = options
    this.session = new Session({
      policy,
      store,
      prepared: preparedWeights(store),
      manifest,
      inputs,
      outputs,
      identity,
      provers,
      channel: this.channel(),
      onChecked: () => {},
    })
  }

  /** Says a message. @returns Whether the session is over. */
  say<T extends MessageType>(type: T, control: Control<T>, segments: readonly Uint8Array[] = []): Promise<boolean> {
    const bytes = new Uint8Array(Buffer.concat(encodeMessage(type, control, segments)))
    this.said.append([bytes])
    return this.session.receive(bytes)
  }

  async hello(): Promise<void> {
    const key = this.options.key?.publicKey
    const nonce = new Uint8Array(32)
    const control = {
      versions: [1],
      suites: ['sha256'],
      modes: ['interactive', 'spot'],
      samplers: ['rows'],
      nonce,
      backend: 'hand',
    }
    this.helloBytes = new Uint8Array(Buffer.concat(encodeMessage('hello', { ...control, ...(key && { key }) })))
    this.said.append([this.helloBytes])
    await this.session.receive(this.helloBytes)
    this.id = new Uint8Array(sessionId(sha256, [this.helloBytes], [this.policyBytes]))
  }

  async open(changes: Partial<Control<'open'>> = {}): Promise<void> {
    await this.hello()
    const { key } = this.options
    const signature = key && sign(key, statements.session(this.id, 'prover'))
    await this.say('open', { session: this.id, ...(signature && { signature }), ...changes })
  }

  /** Commits to products, each of tensors of its own. @returns Whether the session is over. */
  commit(products: readonly { record: ProductRecord; a: Matrix; c: Matrix }[]): Promise<boolean> {
    const tensors = products.flatMap(({ record, a: left, c }) => [this.root(record.a, left), this.root(record.c, c)])
    return this.say('commit', { records: products.map((product) => product.record), tensors })
  }

  /** The challenge of an operation, as the verifier sent it. */
  seedOf(sequence: number): Uint8Array | undefined {
    for (const { type, control } of this.answers) {
      const found = type === 'challenge' && control.challenges.find((challenge) => challenge.sequence === sequence)
      if (found) return found.seed
    }
    throw new Error(`operation ${sequence} was not challenged`)
  }

  async answer(
    product: ProductRecord,
    change: (control: Control<'opening'>) => Control<'opening'> = (c) => c,
  ): Promise<void> {
    const sampled = { layout: product.layout, right: 'weight' } as const
    const { sampler } = this.options.policy ?? interactive()
    const rows = openedRows(sampled, sampler.plan(this.seedOf(product.sequence)!, unitShape(sampled)))
    const [left, right] = [this.committed.get(product.a)!, this.committed.get(product.c)!]
    const opened = [
      openRows(left.matrix, left.committed, rowsToOpen(rows.a, left.matrix)),
      openRows(right.matrix, right.committed, rowsToOpen(rows.c, right.matrix)),
    ] as const
    const control = { sequence: product.sequence, a: opened[0].opening, c: opened[1].opening }
    await this.say(
      'opening',
      change(control),
      opened.map(({ bytes }) => bytes),
    )
  }

  async close(operations: number, changes: Partial<Control<'close'>> = {}): Promise<Verdict> {
    const { key } = this.options
    const { head } = this.said
    const signature = key && sign(key, statements.close(this.id, head, operations))
    await this.say('close', { operations, transcript: head, ...(signature && { signature }), ...changes })
    return this.session.conclude()
  }

  /** An honest session of so many products. */
  async honest(count: number): Promise<Verdict> {
    await this.open()
    const products = Array.from({ length: count }, (_, i) => ({ record: record(i), a, c: productOf(a) }))
    await this.commit(products)
    for (const product of products) await this.answer(product.record)
    return this.close(count)
  }

  private root(tensor: number, content: Matrix): Control<'commit'>['tensors'][number] {
    const committed = commitTensor(sha256, {
      session: this.id,
      tensor,
      matrix: content,
      leafRows: leafRowsOf(content),
      saltKey: new Uint8Array(32),
    })
    this.committed.set(tensor, { matrix: content, committed })
    const { rows, cols, dtype } = content
    return { tensor, rows, cols, dtype, root: committed.root }
  }

  private channel(): Channel {
    return {
      peer: 'hand',
      maxMessageBytes: 2 ** 26,
      send: async (parts: Message) => {
        const bytes = new Uint8Array(Buffer.concat(parts))
        const message = decodeMessage(bytes)
        if (message.type === 'policy') this.policyBytes = bytes
        this.answers.push(message)
      },
      close: async () => {},
      abort: () => {},
      // biome-ignore lint/correctness/useYield: it says nothing by itself
      async *[Symbol.asyncIterator]() {
        throw new AssayError('internal', 'a session does not read its channel')
      },
    }
  }
}

export const reasons = (verdict: Verdict) => verdict.findings.map(({ reason }) => reason)
