import { decodeFrame, decodeMessage, encodeFrame, encodeMessage } from '@tensor-assay/core'
import fc from 'fast-check'
import { join } from '../damage.ts'
import type { Random } from '../random.ts'
import { revalue } from '../revalue.ts'
import { attempt, promised, refused, sameBytes, type Target } from '../target.ts'
import { validMessage } from '../valid-messages.ts'

const magic = Uint8Array.of(0x54, 0x41, 0x53, 0x59, 1)

/** Frames: a decoded one gives the same bytes again, its segments are views, and it asks for no memory for them. */
export const frame: Target = {
  name: 'frame',
  maxInputBytes: 4096,
  allowedBytes: (length) => 4096 + 256 * length,
  tokens: [magic, new Uint8Array(8), new Uint8Array(4).fill(0xff), Uint8Array.of(0xa0)],
  seeds: () => [
    join(...encodeFrame({ type: 0, control: {}, segments: [] })),
    join(
      ...encodeFrame({ type: 6, control: { a: [1, 'x'] }, segments: [new Uint8Array(13).fill(7), new Uint8Array(0)] }),
    ),
    join(
      ...encodeFrame({ type: 255, control: null, segments: Array.from({ length: 8 }, (_, i) => new Uint8Array(i)) }),
    ),
  ],
  rewrite: rewriteFrame,
  check(input) {
    const decoded = attempt(() => decodeFrame(input), ['frame-malformed', 'version-unsupported'])
    if (decoded === refused) return false
    for (const segment of decoded.segments) {
      promised(segment.buffer === input.buffer, 'a segment is not a view')
      promised((segment.byteOffset - input.byteOffset) % 8 === 0, 'a segment is not aligned')
    }
    promised(sameBytes(join(...encodeFrame(decoded)), input), 'its value has another encoding')
    return true
  },
}

/** Messages of the protocol: what the schemas let through is complete, and gives the same bytes again. */
export const message: Target = {
  name: 'message',
  maxInputBytes: 8192,
  allowedBytes: (length) => 4096 + 256 * length,
  seeds: () =>
    fc
      .sample(validMessage, { seed: 1, numRuns: 60 })
      .map(({ type, control, segments }) => join(...encodeMessage(type, control, segments))),
  rewrite: rewriteFrame,
  check(input) {
    const codes = ['frame-malformed', 'version-unsupported', 'message-malformed'] as const
    const decoded = attempt(() => decodeMessage(input), codes)
    if (decoded === refused) return false
    const again = encodeMessage(decoded.type, decoded.control, decoded.segments)
    promised(sameBytes(join(...again), input), 'its value has another encoding')
    return true
  },
}

/** Another type, another control map or other segments, in a frame that holds together. */
export function rewriteFrame(input: Uint8Array, random: Random): Uint8Array {
  try {
    const { type, control, segments } = decodeFrame(input)
    const changed = random.once(6)
      ? { type: random.below(14), control, segments }
      : random.once(6)
        ? { type, control, segments: segments.slice(0, random.below(segments.length + 1)) }
        : { type, control: revalue(control, random), segments }
    return join(...encodeFrame(changed))
  } catch {
    return input
  }
}
