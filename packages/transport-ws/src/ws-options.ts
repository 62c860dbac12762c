import { longestTimeoutMs } from './dialer-options.ts'
import type { Settings } from './options.ts'
import { longestLineBytes } from './wire.ts'

/**
 * The smallest pieces, on average, that a message may come in: what a fragment and a read of the socket bring. Each of
 * them costs memory besides its bytes; a fragment up to the 64 KiB that the socket was read in with it.
 */
const leastFragmentBytes = 32 * 1024
const leastReadBytes = 256

/** Pieces that every message may come in, however short: 16 KiB may arrive byte by byte. */
const fragmentsForFree = 64
const readsForFree = 16 * 1024

/** What `ws` is told on both sides. Bounds hold before memory is taken. */
export function wsOptions({ maxMessageBytes, closeTimeoutMs }: Settings) {
  return {
    perMessageDeflate: false,
    // A message over the limit of the channel and under that of a line is found when it has arrived.
    maxPayload: Math.max(maxMessageBytes, longestLineBytes),
    maxFragments: fragmentsForFree + Math.ceil(maxMessageBytes / leastFragmentBytes),
    maxBufferedChunks: readsForFree + Math.ceil(maxMessageBytes / leastReadBytes),
    // For what is left of a close after the goodbyes. close() bounds all of it.
    closeTimeout: Math.min(closeTimeoutMs, longestTimeoutMs),
  }
}
