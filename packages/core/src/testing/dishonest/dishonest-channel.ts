import type { Channel } from '../../transport.ts'
import type { ProtocolAttack } from './attack.ts'
import { forgedChannel } from './forged-channel.ts'
import { interferedChannel } from './middle.ts'

/**
 * A prover's end of a channel, through which a session goes as `attack` says. The prover that is given it is honest, and
 * so may be the backend: what lies is the channel.
 *
 * @param channel - To the verifier, over any transport.
 *
 * @example
 * ```ts
 * for (const attack of protocolAttacks()) {
 *   const channel = dishonestChannel(await tcp().dial(address), attack)
 *   const prover = await createProver({ backend, channel })
 * }
 * ```
 */
export function dishonestChannel(channel: Channel, attack: ProtocolAttack): Channel {
  return attack.by === 'prover' ? forgedChannel(channel, attack.lie()) : interferedChannel(channel, attack.interfere())
}
