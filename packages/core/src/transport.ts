/** Carries messages between prover and verifier; who dials is independent of who proves. */
export interface Transport {
  readonly specificationVersion: 'v1'
  readonly name: string
  /**
   * @throws {AssayError} `address-invalid`, `peer-unreachable`, `peer-untrusted`, `deadline-exceeded`, `aborted`.
   */
  dial(address: string, options?: DialOptions): Promise<Channel>
  /**
   * Accepts channels until the listener is closed. A peer that misbehaves never stops the listener, and neither does an
   * `onChannel` that throws.
   *
   * @throws {AssayError} `address-invalid`, `address-unavailable`, `aborted`.
   */
  listen(address: string, onChannel: (channel: Channel) => void, options?: ListenOptions): Promise<Listener>
}

export interface AbortOptions {
  readonly signal?: AbortSignal
}

export interface DialOptions extends AbortOptions {
  /** Time for the connection and its handshake, milliseconds. */
  readonly handshakeTimeoutMs?: number
  /** The channel alone does not keep the process alive, where the runtime has a say in that. */
  readonly background?: boolean
}

export interface ListenOptions extends AbortOptions {
  readonly handshakeTimeoutMs?: number
  /** Channels open at once; one more is refused. */
  readonly maxChannels?: number
}

export interface Listener extends AsyncDisposable {
  /** Where it listens, dialable, with the port that was bound where 0 was asked. */
  readonly address: string
  /** Stops accepting. Open channels go on. */
  close(): Promise<void>
}

/** The parts of one message, sent without being joined. The sender must not change them before `send` resolves. */
export type Message = readonly Uint8Array[]

/**
 * An ordered, reliable duplex of whole messages.
 *
 * Iterating yields the peer's messages, each in memory of its own that is aligned to 8 bytes. The iteration ends when
 * the peer closed, and throws `channel-lost` when the connection ended any other way, or the error that a limit or a
 * deadline raised. It can be iterated once.
 */
export interface Channel extends AsyncIterable<Uint8Array> {
  /** The peer as the transport knows it, for people to read. */
  readonly peer: string
  /** Longest message that either side may send, bytes. */
  readonly maxMessageBytes: number
  /**
   * Resolves when the message was handed on and there is room for another: awaiting it is the back-pressure.
   *
   * @throws {AssayError} `message-too-large`, `channel-closed`, `channel-lost`.
   */
  send(message: Message): Promise<void>
  /** Sends what is queued, says goodbye and waits for the peer's; then every resource is free. Never throws. */
  close(options?: AbortOptions): Promise<void>
  /** Ends at once. The peer sees `channel-lost`; this side's iteration and sends throw `error`. */
  abort(error: Error): void
}
