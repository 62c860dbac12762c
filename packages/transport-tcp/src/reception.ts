import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { AssayError, type Channel, Deadline, MemoryBudget } from '@tensor-assay/core'
import { type Address, formatAddress } from './address.ts'
import { SocketChannel } from './channel.ts'
import { exchangePreambles } from './handshake.ts'
import type { Settings } from './options.ts'
import { TlsGate } from './tls-gate.ts'

const certificateAdvice = 'pass tcp({ tls: { key, cert } })'

/**
 * Turns accepted connections into channels. Whatever a peer does ends its own connection and is reported; nothing is
 * thrown to the listening socket.
 */
export class Reception {
  readonly #scheme: Address['scheme']
  readonly #label: string
  readonly #onChannel: (channel: Channel) => unknown
  readonly #settings: Settings
  readonly #gate: TlsGate | undefined
  readonly #memory: MemoryBudget
  /** Every connection, from accepting to its last byte. */
  readonly #open = new Set<Socket>()
  /** Those that are not channels yet. */
  readonly #arriving = new Set<Socket>()
  #closed = false

  constructor(address: Address, onChannel: (channel: Channel) => unknown, settings: Settings) {
    this.#scheme = address.scheme
    this.#label = formatAddress(address)
    this.#onChannel = onChannel
    this.#settings = settings
    this.#memory = new MemoryBudget(settings.maxTotalBufferedBytes)
    this.#gate =
      address.scheme === 'tls' ? new TlsGate(settings.credentials.serverOptions(certificateAdvice)) : undefined
  }

  receive(socket: Socket): void {
    const peer = this.#peerOf(socket)
    socket.on('error', () => {}) // whoever waits for it hears it too; after that nobody needs to
    const { maxChannels } = this.#settings
    if (this.#open.size >= maxChannels) {
      socket.destroy()
      this.#report(new AssayError('channel-lost', `refused ${peer}: all ${maxChannels} channels are taken`), peer)
      return
    }
    this.#open.add(socket)
    socket.once('close', () => this.#open.delete(socket))
    void this.#welcome(socket, peer)
  }

  /** Ends the handshakes under way. Channels go on. */
  close(): void {
    this.#closed = true
    for (const socket of this.#arriving) socket.destroy()
  }

  async #welcome(socket: Socket, peer: string): Promise<void> {
    const channel = await this.#shakeHands(socket, peer)
    if (channel === undefined) return
    try {
      // An asynchronous handler returns a promise, whatever its type says.
      await this.#onChannel(channel)
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(`onChannel threw ${String(error)}`)
      channel.abort(failure)
      this.#report(failure, peer)
    }
  }

  async #shakeHands(raw: Socket, peer: string): Promise<Channel | undefined> {
    const { handshakeTimeoutMs, maxMessageBytes } = this.#settings
    const deadline = new Deadline(handshakeTimeoutMs, () => {
      const late = `${peer} did not complete the handshake within ${handshakeTimeoutMs} ms`
      raw.destroy(new AssayError('deadline-exceeded', late))
    }).start()
    this.#arriving.add(raw)
    try {
      const socket = this.#gate === undefined ? raw : await this.#gate.secure(raw)
      const refusal = this.#gate && this.#settings.credentials.refusalOf(socket as TLSSocket)
      const { theirs, rest } = await exchangePreambles(socket, { maxMessageBytes, refused: refusal !== undefined })
      if (refusal !== undefined) throw refusal
      const limit = Math.min(maxMessageBytes, theirs.maxMessageBytes)
      return new SocketChannel(socket, peer, { ...this.#settings, maxMessageBytes: limit }, rest, this.#memory)
    } catch (error) {
      if (!this.#closed) this.#report(error as Error, peer)
      raw.destroy()
      return undefined
    } finally {
      this.#arriving.delete(raw)
      deadline.stop()
    }
  }

  #report(error: Error, peer: string): void {
    this.#settings.onError(error, peer)
  }

  #peerOf({ remoteAddress, remotePort }: Socket): string {
    if (this.#scheme === 'unix' || remoteAddress === undefined) return this.#label
    return formatAddress({ scheme: this.#scheme, host: remoteAddress, port: remotePort! })
  }
}
