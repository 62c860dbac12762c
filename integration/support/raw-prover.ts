import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import {
  type Control,
  decodeMessage,
  encodeMessage,
  type MessageType,
  type ProductRecord,
  type ProtocolMessage,
  sessionId,
  sha256,
} from '@tensor-assay/core'
import { FrameReader } from '../../packages/transport-tcp/src/frame-reader.ts'
import { encodeHeader, encodePreamble, kinds, preambleBytes } from '../../packages/transport-tcp/src/wire.ts'

export const preamble = encodePreamble({ maxMessageBytes: 2 ** 26, refused: false })

export const hello: Control<'hello'> = {
  versions: [1],
  suites: ['sha256'],
  modes: ['interactive'],
  samplers: ['rows'],
  nonce: new Uint8Array(32),
  backend: 'by hand',
}

/** A message as it travels, with the header of the transport. */
export function framed<T extends MessageType>(type: T, control: Control<T>, segments: Uint8Array[] = []): Buffer {
  return framedBytes(Buffer.concat(encodeMessage(type, control, segments)))
}

export function framedBytes(message: Uint8Array): Buffer {
  return Buffer.concat([encodeHeader(kinds.message, message.length), message])
}

/** A product by a weight that no verifier holds: refused, and answered all the same. */
export function strangeProduct(sequence: number, m = 1): ProductRecord {
  return {
    kind: 'product',
    sequence,
    step: 0,
    operation: 'matMul',
    layout: { kind: 'matmul', m, k: 1, n: 1, aBatch: [], bBatch: [] },
    a: 0,
    b: { kind: 'weight', digest: new Uint8Array(32), transposed: false },
    c: 1,
    alpha: 1,
    activation: { name: 'linear' },
    profile: 'float32',
  }
}

/** A connection that writes bytes where a prover would send messages. */
export class RawProver {
  readonly socket: Socket
  /** Resolves when the connection has ended, whoever ended it. */
  readonly ended: Promise<unknown>
  readonly #reader = new FrameReader(2 ** 26)
  readonly #messages: Uint8Array[] = []
  #skip = preambleBytes
  #onNews = () => {}

  constructor(address: string) {
    const { hostname, port } = new URL(address)
    this.socket = connect({ host: hostname, port: Number(port), noDelay: true })
    this.socket.on('error', () => {})
    this.ended = new Promise((resolve) => this.socket.once('close', resolve))
    this.socket.once('close', () => this.#onNews())
    this.socket.on('data', (chunk) => this.#take(chunk))
  }

  async connected(): Promise<void> {
    await once(this.socket, 'connect')
  }

  /** Resolves when there is room for more, or the connection has ended. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.socket.destroyed || this.socket.write(bytes)) return
    await Promise.race([once(this.socket, 'drain').catch(() => {}), this.ended])
  }

  /** The next message of the verifier; undefined if the connection ends first. */
  async next(): Promise<ProtocolMessage | undefined> {
    while (this.#messages.length === 0 && !this.socket.destroyed) {
      await new Promise<void>((resolve) => {
        this.#onNews = resolve
      })
    }
    const bytes = this.#messages.shift()
    return bytes && decodeMessage(bytes)
  }

  /** Says hello and opens the session, as an honest prover would. */
  async open(): Promise<void> {
    const greeting = Buffer.concat(encodeMessage('hello', hello))
    await this.write(Buffer.concat([preamble, framedBytes(greeting)]))
    const policy = await this.next()
    if (policy?.type !== 'policy') return
    const parts = encodeMessage('policy', policy.control)
    await this.write(framed('open', { session: sessionId(sha256, [greeting], parts) }))
  }

  destroy(): void {
    this.socket.destroy()
  }

  #take(chunk: Buffer): void {
    const rest = chunk.subarray(Math.min(this.#skip, chunk.length))
    this.#skip -= chunk.length - rest.length
    for (const { kind, body } of this.#reader.read(rest)) if (kind === kinds.message) this.#messages.push(body)
    this.#onNews()
  }
}
