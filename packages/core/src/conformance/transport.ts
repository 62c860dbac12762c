import type { Channel, Transport } from '../transport.ts'
import { delivery } from './transport/delivery.ts'
import { ending } from './transport/ending.ts'
import { listening } from './transport/listening.ts'
import { loss } from './transport/loss.ts'

/** What not every transport can do. A case that requires something not declared is skipped, with that as the reason. */
export type TransportCapability =
  /** A side that closed still receives until the other closes too. */
  | 'half-close'
  /** `close` gives up by itself on a peer that does not answer. Configure it well below `timeoutMs`. */
  | 'close-deadline'
  /** `listen` honours `maxChannels`. */
  | 'max-channels'
  /** The context can cut a connection; see {@link TransportContext.sever}. */
  | 'abrupt-loss'

/** What the author of a transport supplies. */
export interface TransportContext {
  /** Configured with a `maxMessageBytes` of a few MiB at most: messages of exactly that size are sent. */
  readonly transport: Transport
  /** An address that nobody listens on yet, another one each time. */
  listenAddress(): string | Promise<string>
  /** How long to wait for what must happen, milliseconds. Default 5000. */
  readonly timeoutMs?: number
  /** How much may be under way to a peer that does not read, its network's buffers included. Default 64 MiB. */
  readonly maxInFlightBytes?: number
  /** Cuts the connection under a dialed channel as a pulled cable or a killed process would. */
  sever?(dialed: Channel): void | Promise<void>
}

export interface TransportCase {
  readonly name: string
  readonly requires?: readonly TransportCapability[]
  /** @throws If the transport breaks its contract, with a message that says how. */
  run(context: TransportContext): Promise<void>
}

/**
 * The contract of a {@link Transport} as cases that any test runner can run. Run them where an unhandled rejection is a
 * failure: a transport must not cause one.
 *
 * @example
 * ```ts
 * const capabilities = ['half-close', 'close-deadline']
 * for (const { name, requires = [], run } of transportConformance) {
 *   const missing = requires.filter((capability) => !capabilities.includes(capability))
 *   test(name, { skip: missing.length > 0 && `not offered: ${missing}` }, () => run({ transport, listenAddress }))
 * }
 * ```
 */
export const transportConformance: readonly TransportCase[] = [...delivery, ...ending, ...loss, ...listening]
