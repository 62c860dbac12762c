import type { Socket } from 'node:net'
import { AssayError } from '@tensor-assay/core'
import { decodePreamble, encodePreamble, type Preamble, preambleBytes } from './wire.ts'

export interface Handshake {
  readonly theirs: Preamble
  /** What came after the preamble; the socket is paused. */
  readonly rest: Uint8Array
}

/**
 * Sends this side's preamble and takes the peer's. Deadlines are the caller's: destroying the socket with an error
 * rejects with that error.
 *
 * @throws {AssayError} `frame-malformed`, `version-unsupported`, or `channel-lost` if the connection ends first.
 */
export function exchangePreambles(socket: Socket, ours: Preamble): Promise<Handshake> {
  return new Promise((resolve, reject) => {
    let received: Uint8Array = new Uint8Array(0)
    let theirs: Preamble | undefined
    let oursIsOut = false
    const settle = (action: () => void) => {
      socket.off('data', onData).off('error', onError).off('end', onEnd).off('close', onEnd)
      action()
    }
    const onError = (error: Error) => settle(() => reject(error))
    const onEnd = () => onError(new AssayError('channel-lost', 'the peer ended the connection during the handshake'))
    const resolveIfDone = () => {
      if (theirs === undefined || !oursIsOut) return
      const handshake = { theirs, rest: received.subarray(preambleBytes) }
      settle(() => resolve(handshake))
    }
    const onData = (chunk: Uint8Array) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
      try {
        theirs = decodePreamble(received)
        if (theirs === undefined) return
        socket.pause()
        resolveIfDone()
      } catch (error) {
        onError(error as Error)
      }
    }
    if (socket.destroyed) return socket.errored ? onError(socket.errored) : onEnd()
    socket.on('data', onData).on('error', onError).on('end', onEnd).on('close', onEnd)
    // Waited for, because a channel that is aborted at once would take it back, and the dialer would not know why.
    socket.write(encodePreamble(ours), (error) => {
      if (error) return
      oursIsOut = true
      resolveIfDone()
    })
  })
}
