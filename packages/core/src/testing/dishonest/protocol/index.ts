import type { ProtocolAttack } from '../attack.ts'
import { commitmentAttacks } from './commitments.ts'
import { encodingAttacks } from './encoding.ts'
import { endingAttacks } from './endings.ts'
import { handshakeAttacks } from './handshake.ts'
import { malformedAttacks } from './malformed.ts'
import { openingAttacks } from './openings.ts'
import { recordAttacks } from './records.ts'
import { replayAttacks } from './replays.ts'
import { sequenceAttacks } from './sequences.ts'
import { spotAttacks } from './spot.ts'
import { handshakeInterferences } from './transit/handshake.ts'
import { messageInterferences } from './transit/messages.ts'
import { signatureInterferences, verdictInterferences } from './transit/verdicts.ts'

/** Every lie about what was committed to, asked or said. Attacks that take several sessions begin with the first. */
export function protocolAttacks(): readonly ProtocolAttack[] {
  return [
    ...handshakeAttacks,
    ...encodingAttacks,
    ...commitmentAttacks,
    ...recordAttacks,
    ...malformedAttacks,
    ...sequenceAttacks,
    ...openingAttacks,
    ...endingAttacks,
    ...replayAttacks(),
    ...spotAttacks,
    ...handshakeInterferences,
    ...messageInterferences,
    ...verdictInterferences,
    ...signatureInterferences,
  ]
}
