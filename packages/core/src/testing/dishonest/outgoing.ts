import { type Control, encodeMessage, type MessageType, type ProtocolMessage } from '../../codec/messages.ts'

/** What may be sent: a message of the protocol, made when its turn comes if need be, or the parts of something that is none. */
export type Outgoing = ProtocolMessage | (() => ProtocolMessage) | readonly Uint8Array[]

/** A message, unchecked. */
export function say<T extends MessageType>(
  type: T,
  control: Control<T>,
  segments: readonly Uint8Array[] = [],
): ProtocolMessage {
  return { type, control, segments } as ProtocolMessage
}

export function partsOf(outgoing: Outgoing): readonly Uint8Array[] {
  const message = typeof outgoing === 'function' ? outgoing() : outgoing
  return 'type' in message ? encodeMessage(message.type, message.control, message.segments) : message
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.length
  }
  return bytes
}
