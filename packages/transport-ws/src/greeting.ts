import { AssayError } from '@tensor-assay/core'
import { LinkChannel } from './channel.ts'
import type { ChannelLimits } from './dialer-options.ts'
import type { Link } from './link.ts'
import { closeCodes, helloLine, largestFigure, malformed, parseLine } from './wire.ts'

/**
 * Says hello and hears the peer's. Deadlines are the caller's: a link that ends with a cause rejects with that.
 *
 * @param link - Open, or about to be.
 * @throws {AssayError} `frame-malformed`, or `channel-lost` if the connection ends first.
 */
export function greet(link: Link, peer: string, limits: ChannelLimits): Promise<LinkChannel> {
  const ours = {
    maxMessageBytes: limits.maxMessageBytes,
    windowBytes: Math.min(Math.ceil(limits.maxBufferedBytes / 2), largestFigure),
  }
  return new Promise((resolve, reject) => {
    const refuse = (problem: string) => {
      const error = malformed(problem)
      reject(error)
      link.refuse(closeCodes.malformed, error)
    }
    link.attach({
      opened: () => link.sendText(helloLine(ours)),
      message: () => refuse('a message before its hello'),
      text(text) {
        const theirs = parseLine(text)
        if (theirs?.kind !== 'hello') return refuse('something else than a hello')
        const agreed = {
          ...limits,
          maxMessageBytes: Math.min(ours.maxMessageBytes, theirs.maxMessageBytes),
          windowBytes: Math.min(ours.windowBytes, theirs.windowBytes),
        }
        // Made before anything else can arrive, so that it misses nothing.
        resolve(new LinkChannel(link, peer, agreed))
      },
      failed: reject,
      exhausted: reject,
      closed({ code, reason, cause }) {
        const how = code === 1005 || code === 1006 ? '' : ` with ${code} ${JSON.stringify(reason)}`
        const ended = `the peer ended the connection during the handshake${how}`
        reject(cause ?? new AssayError('channel-lost', ended))
      },
    })
  })
}
