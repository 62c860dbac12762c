import type { ProtocolAttack } from '../attack.ts'
import { commitmentAttacks } from './commitments.ts'
import { encodingAttacks } from './encoding.ts'
import { endingAttacks } from './endings.ts'
import { handshakeAttacks } from './handshake.ts'
import { openingAttacks } from './openings.ts'
import { recordAttacks } from './records.ts'
import { replayAttacks } from './replays.ts'
import { spotAttacks } from './spot.ts'
import { transitAttacks } from './transit.ts'

/** Every lie about what was committed to, asked or said. Attacks that take several sessions begin with the first. */
export function protocolAttacks(): readonly ProtocolAttack[] {
  return [
    ...handshakeAttacks,
    ...encodingAttacks,
    ...commitmentAttacks,
    ...recordAttacks,
    ...openingAttacks,
    ...endingAttacks,
    ...replayAttacks(),
    ...spotAttacks,
    ...transitAttacks,
  ]
}
