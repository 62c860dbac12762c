import type { AssayError, Message } from '@tensor-assay/core'

/** How a WebSocket ended. */
export interface Closure {
  /** As in RFC 6455 section 7.4.1; 1006 if no close frame arrived. */
  readonly code: number
  /** The peer's own words. */
  readonly reason: string
  readonly cause: Error | undefined
}

export interface LinkEvents {
  /** The WebSocket is open; told at once if it was already. */
  opened?(): void
  message(body: Uint8Array): void
  /** @param text - Cut off where it is longer than any line. */
  text(text: string): void
  /** The peer breaks the protocol of WebSocket, or a limit, or is gone. The link is ending already. */
  failed(error: AssayError): void
  /** The memory that this link shares with others is used up, and it has held some for the longest time. It has ended. */
  exhausted?(error: AssayError): void
  /** Nothing follows, and every resource is free. */
  closed(closure: Closure): void
}

/** One WebSocket, of Node or of a browser, as far as a channel needs to know. */
export interface Link {
  /** Bytes received so far, those of unfinished messages included where the runtime tells. */
  readonly receivedBytes: number
  /** Bytes that wait to be sent. */
  readonly backlogBytes: number
  /** From now on, everything is told to `events`. Called at once after making the link. */
  attach(events: LinkEvents): void
  /**
   * Sends one binary message, after all that was sent before.
   *
   * @param onTaken - Called when the memory of the parts is no longer needed, and not if the connection ends before.
   */
  sendMessage(message: Message, onTaken: () => void): void
  sendText(text: string): void
  /** Of received messages, so many bytes are held by whoever `events` belongs to; for links that share memory. */
  hold?(bytes: number): void
  /** Starts the closing handshake, after all that was sent before. */
  end(code: number, reason: string): void
  /** The same for a peer that broke the rules, who has little time left. */
  refuse(code: number, error: AssayError): void
  /** Ends at once. */
  destroy(): void
}

/**
 * The parts of a message as one piece: a single part as it is, several in a copy. Sending each part as a fragment of
 * its own would save the copy here, and the receiver would make it instead; measured, neither is faster than the other.
 */
export function joined(message: Message): Uint8Array {
  const filled = message.filter((part) => part.byteLength > 0)
  if (filled.length === 1) return filled[0]!
  const whole = new Uint8Array(lengthOf(filled))
  let offset = 0
  for (const part of filled) {
    whole.set(part, offset)
    offset += part.byteLength
  }
  return whole
}

export function lengthOf(message: Message): number {
  return message.reduce((sum, part) => sum + part.byteLength, 0)
}

/** A reason for a close frame: at most 123 bytes of UTF-8. */
export function closeReason({ message }: Error): string {
  return message.replace(/[^\x20-\x7e]/g, '?').slice(0, 120)
}
