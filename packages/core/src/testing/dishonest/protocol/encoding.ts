import { encodeControl } from '../../../codec/control.ts'
import type { ProverAttack } from '../attack.ts'
import { joined, partsOf } from '../outgoing.ts'
import { byProver, first } from './define.ts'

/** Where the fixed header of a frame has what: see `codec/frame.ts`. Here frames are made that the codec would not make. */
const at = { magic: 0, version: 4, type: 5, segments: 6, control: 8 } as const
const fixedBytes = 12

/** The first hello is sent as other bytes. */
function spoilt(
  name: string,
  description: string,
  expected: ProverAttack['expected'],
  spoil: (bytes: Uint8Array, view: DataView) => Uint8Array,
): ProverAttack {
  const lie = first('hello', (hello) => {
    const bytes = joined(partsOf(hello))
    return [[spoil(bytes, new DataView(bytes.buffer))]]
  })
  return byProver(`encoding: ${name}`, description, expected, lie)
}

const set = (offset: number, value: number) => (bytes: Uint8Array) => {
  bytes[offset] = value
  return bytes
}

/** A frame of type 1 whose control map is these bytes. */
function frameOf(control: Uint8Array): Uint8Array {
  const head = Uint8Array.of(0x54, 0x41, 0x53, 0x59, 1, 1, 0, 0, 0, 0, 0, 0)
  new DataView(head.buffer).setUint32(at.control, control.length, true)
  return joined([head, control])
}

/** Control maps in CBOR that no encoder of this protocol writes. */
const maps: readonly (readonly [string, readonly number[]])[] = [
  ['a number in more bytes than it needs', [0xa1, 0x61, 0x61, 0x18, 0x01]],
  ['keys in another order', [0xa2, 0x61, 0x62, 0x01, 0x61, 0x61, 0x01]],
  ['a key twice', [0xa2, 0x61, 0x61, 0x01, 0x61, 0x61, 0x02]],
  ['a map of unknown length', [0xbf, 0x61, 0x61, 0x01, 0xff]],
  ['a text of unknown length', [0xa1, 0x61, 0x61, 0x7f, 0x61, 0x61, 0xff]],
  ['undefined', [0xa1, 0x61, 0x61, 0xf7]],
  ['a tag', [0xa1, 0x61, 0x61, 0xc1, 0x01]],
  ['a float in more bytes than it needs', [0xa1, 0x61, 0x61, 0xfb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0]],
  ['a text that is no UTF-8', [0xa1, 0x61, 0x61, 0x61, 0xff]],
  ['a length beyond the data', [0xa1, 0x61, 0x61, 0x5b, 0, 0, 0, 1, 0, 0, 0, 0]],
  ['bytes after the map', [0xa0, 0x00]],
  ['maps within maps', Array(20_000).fill(0x81)],
]

const bytes: readonly ProverAttack[] = [
  spoilt('other magic', 'the frame of another protocol', 'frame-malformed', set(at.magic, 0)),
  spoilt('an unknown version', 'a frame of version 9', 'version-unsupported', set(at.version, 9)),
  spoilt('version 0', 'a frame of a version that never was', 'version-unsupported', set(at.version, 0)),
  spoilt('an unknown type', 'a message that does not exist', 'message-malformed', set(at.type, 200)),
  spoilt('type 0', 'a message without a type', 'message-malformed', set(at.type, 0)),
  spoilt('another type', 'a hello that says it is a close', 'message-malformed', set(at.type, 8)),
  spoilt('too many segments', 'more segments than a frame may have', 'frame-malformed', set(at.segments, 200)),
  spoilt('segments that are not there', 'a segment is announced', 'frame-malformed', set(at.segments, 1)),
  spoilt('a control map that is too large', 'four gigabytes are announced', 'frame-malformed', (frame, view) => {
    view.setUint32(at.control, 0xffffffff, true)
    return frame
  }),
  spoilt('bytes at the end', 'a byte follows the frame', 'frame-malformed', (frame) =>
    joined([frame, Uint8Array.of(0)]),
  ),
  spoilt('a frame cut short', 'the last byte is missing', 'frame-malformed', (frame) => frame.subarray(0, -1)),
  spoilt('a header cut short', 'half a header', 'frame-malformed', (frame) => frame.subarray(0, fixedBytes / 2)),
  spoilt('nothing', 'an empty message', 'frame-malformed', () => new Uint8Array(0)),
  spoilt('no map', 'a list where a map belongs', 'message-malformed', () => frameOf(encodeControl([1, 2, 3]))),
]

/** Bytes that are no message of the protocol. */
export const encodingAttacks: readonly ProverAttack[] = [
  ...bytes,
  ...maps.map(([name, control]) =>
    spoilt(`CBOR with ${name}`, 'a control map that is not deterministic', 'frame-malformed', () =>
      frameOf(Uint8Array.from(control)),
    ),
  ),
]
