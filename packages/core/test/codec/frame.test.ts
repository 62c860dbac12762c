import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeControl } from '../../src/codec/control.ts'
import { decodeFrame, encodeFrame, frameLimits } from '../../src/codec/frame.ts'
import { decodeMessage, encodeMessage } from '../../src/codec/messages.ts'
import { AssayError, type AssayErrorCode } from '../../src/errors.ts'

const join = (parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]))
const frame = () =>
  join(
    encodeFrame({ type: 3, control: { b: 1, a: [true, 0.5] }, segments: [Uint8Array.of(1, 2, 3), Uint8Array.of(4)] }),
  )

test('the layout is frozen', () => {
  expect(Buffer.from(frame()).toString('hex')).toBe(
    '54415359' +
      '01' +
      '03' +
      '0200' +
      '0b000000' +
      '03000000' +
      '01000000' +
      'a2616182f5f9380061620100'.slice(0, 22) +
      '00' +
      '010203' +
      '0000000000' +
      '04',
  )
})

test('segments start on multiples of eight bytes and are views', () => {
  const bytes = frame()
  const { segments } = decodeFrame(bytes)
  expect(segments.map(({ byteOffset }) => byteOffset % 8)).toEqual([0, 0])
  expect(segments.map((segment) => segment.buffer === bytes.buffer)).toEqual([true, true])
  expect(segments.map((segment) => [...segment])).toEqual([[1, 2, 3], [4]])
})

test('every truncation and every trailing byte is refused', () => {
  const whole = frame()
  for (let length = 0; length < whole.length; length++) {
    expect(() => decodeFrame(whole.subarray(0, length)), `${length} bytes`).toThrow(AssayError)
  }
  expect(() => decodeFrame(join([whole, Uint8Array.of(0)]))).toThrow(/follow the last segment/)
})

test('a flipped bit gives another value or an AssayError, never anything else', () => {
  const whole = frame()
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const bytes = whole.slice()
    bytes[bit >> 3]! ^= 1 << (bit & 7)
    try {
      expect(join(encodeFrame(decodeFrame(bytes)))).toEqual(bytes)
    } catch (error) {
      expect(AssayError.isInstance(error), String(error)).toBe(true)
    }
  }
})

test('any bytes give a message or an AssayError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: 12 }), (noise, type) => {
      const head = Uint8Array.of(0x54, 0x41, 0x53, 0x59, 1, type, 0, 0, noise.length, 0, 0, 0)
      try {
        decodeMessage(join([head, noise]))
      } catch (error) {
        expect(AssayError.isInstance(error), String(error)).toBe(true)
      }
    }),
    { seed: 1, numRuns: 5000 },
  )
})

describe('refused before anything is allocated', () => {
  const header = (change: (view: DataView) => void) => {
    const bytes = frame()
    change(new DataView(bytes.buffer))
    return bytes
  }
  test.each<[string, Uint8Array, AssayErrorCode, RegExp]>([
    ['wrong magic', header((view) => view.setUint8(0, 0)), 'frame-malformed', /magic/],
    ['another version', header((view) => view.setUint8(4, 2)), 'version-unsupported', /version 2/],
    [
      'too many segments',
      header((view) => view.setUint16(6, frameLimits.maxSegments + 1, true)),
      'frame-malformed',
      /9 segments exceed 8/,
    ],
    [
      'a control map over the limit',
      header((view) => view.setUint32(8, frameLimits.maxControlBytes + 1, true)),
      'frame-malformed',
      /4194305 bytes exceeds 4194304/,
    ],
    [
      'a segment beyond the end',
      header((view) => view.setUint32(12, 0xffffffff, true)),
      'frame-malformed',
      /segment 0 ends at/,
    ],
  ])('%s', (_, bytes, code, message) => {
    const refusal = expect.objectContaining({ code, message: expect.stringMatching(message) })
    expect(() => decodeFrame(bytes)).toThrow(refusal)
  })
})

describe('control maps have one encoding', () => {
  const withControl = (control: number[]) =>
    Uint8Array.of(0x54, 0x41, 0x53, 0x59, 1, 9, 0, 0, control.length, 0, 0, 0, ...control)
  test.each([
    ['keys out of order', [0xa2, 0x61, 0x62, 1, 0x61, 0x61, 1]],
    ['a key twice', [0xa2, 0x61, 0x61, 1, 0x61, 0x61, 1]],
    ['an integer in more bytes than it needs', [0xa1, 0x61, 0x61, 0x18, 1]],
    ['indefinite length', [0xbf, 0x61, 0x61, 1, 0xff]],
    ['NaN', [0xa1, 0x61, 0x61, 0xf9, 0x7e, 0]],
    ['something after the map', [0xa0, 0xa0]],
  ])('%s', (_, control) => {
    expect(() => decodeFrame(withControl(control))).toThrow(expect.objectContaining({ code: 'frame-malformed' }))
  })

  test('nesting without end', () => {
    const bomb = new Uint8Array(1_000_000).fill(0x81)
    const bytes = join([
      Uint8Array.of(0x54, 0x41, 0x53, 0x59, 1, 9, 0, 0),
      new Uint8Array(Uint32Array.of(bomb.length).buffer),
      bomb,
    ])
    expect(() => decodeFrame(bytes)).toThrow(expect.objectContaining({ code: 'frame-malformed' }))
  })
})

test('a message with an unknown or a missing field is refused, naming the field', () => {
  const reveal = { key: new Uint8Array(32) }
  expect(decodeMessage(join(encodeMessage('reveal', reveal))).control).toEqual(reveal)
  const raw = (control: object) => join(encodeFrame({ type: 9, control, segments: [] }))
  expect(() => decodeMessage(raw({ ...reveal, more: 1 }))).toThrow(/more/)
  expect(() => decodeMessage(raw({}))).toThrow(/key/)
  expect(() => decodeMessage(raw(JSON.parse('{"__proto__": {}}')))).toThrow(AssayError)
  expect(() => decodeMessage(raw({ key: new Uint8Array(31) }))).toThrow(/key/)
  expect(encodeControl({ b: 1, a: 2 })).toEqual(encodeControl({ a: 2, b: 1 }))
})
