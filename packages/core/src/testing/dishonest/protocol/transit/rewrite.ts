import type { Control, MessageType, ProtocolMessage } from '../../../../codec/messages.ts'
import type { Interference } from '../../middle.ts'
import { type Outgoing, say } from '../../outgoing.ts'
import type { MessageOf } from '../define.ts'

type Side = 'toVerifier' | 'toProver'

/** Rewrites the first message of a type on its way to one side. */
export function rewriting<T extends MessageType>(
  side: Side,
  type: T,
  rewrite: (message: MessageOf<T>) => readonly Outgoing[],
) {
  return (): Interference => {
    let done = false
    return {
      [side](message: ProtocolMessage, bytes: Uint8Array): readonly Outgoing[] {
        if (done || message.type !== type) return [[bytes]]
        done = true
        return rewrite(message as MessageOf<T>)
      },
    }
  }
}

/** Changes fields of the first message of a type on its way to one side. */
export function changing<T extends MessageType>(side: Side, type: T, change: (control: Control<T>) => object) {
  return rewriting(side, type, ({ control, segments }) => [
    say(type, { ...control, ...change(control) } as Control<T>, segments),
  ])
}

export const zeros = () => new Uint8Array(32)

/** The bytes with their first bit changed. */
export function flipped(bytes: Uint8Array): Uint8Array {
  const out = bytes.slice()
  out[0]! ^= 1
  return out
}
