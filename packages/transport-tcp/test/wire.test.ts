import { expect, test } from 'vitest'
import { decodeHeader, decodePreamble, encodeHeader, encodePreamble, kinds } from '../src/wire.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const bytes = (digits: string) => new Uint8Array(Buffer.from(digits.replaceAll(' ', ''), 'hex'))

test('the preamble is the published one', () => {
  const limit = { maxMessageBytes: 0x04030201, refused: false }
  expect(hex(encodePreamble(limit))).toBe('544153544350010001020304' + '00000000')
  expect(decodePreamble(bytes('544153544350 0100 01020304 00 000000'))).toEqual(limit)
  const refusal = { maxMessageBytes: 64 * 2 ** 20, refused: true }
  expect(hex(encodePreamble(refusal))).toBe('544153544350010000000004' + '01000000')
  expect(decodePreamble(encodePreamble(refusal))).toEqual(refusal)
})

test('a preamble that is under way is neither accepted nor refused', () => {
  const whole = encodePreamble({ maxMessageBytes: 1, refused: false })
  for (let length = 0; length < whole.length; length++)
    expect(decodePreamble(whole.subarray(0, length))).toBeUndefined()
})

test.each([
  ['one wrong byte', '00', 'frame-malformed'],
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\n').toString('hex'), 'frame-malformed'],
  ['a late wrong byte', '544153544351', 'frame-malformed'],
  ['another version', '544153544350 0200', 'version-unsupported'],
  ['version 0', '544153544350 0000 01000000 00000000', 'version-unsupported'],
  ['no message at all', '544153544350 0100 00000000 00000000', 'frame-malformed'],
  ['an unknown refusal', '544153544350 0100 01000000 02000000', 'frame-malformed'],
  ['reserved bytes', '544153544350 0100 01000000 00000001', 'frame-malformed'],
])('a preamble with %s is refused', (_, digits, code) => {
  expect(() => decodePreamble(bytes(digits))).toThrow(expect.objectContaining({ code }))
})

test('headers are the published ones', () => {
  expect(hex(encodeHeader(kinds.message, 0x04030201))).toBe('0000000001020304')
  expect(hex(encodeHeader(kinds.goodbye, 0))).toBe('0100000000000000')
  expect(hex(encodeHeader(kinds.goodbyeReceived, 0))).toBe('0200000000000000')
  expect(decodeHeader(bytes('00000000 ffffffff'), 2 ** 32 - 1)).toEqual({ kind: 0, length: 2 ** 32 - 1 })
})

test.each([
  ['an unknown kind', '03000000 00000000', 'frame-malformed'],
  ['reserved bytes', '00000100 00000000', 'frame-malformed'],
  ['a goodbye with a body', '01000000 01000000', 'frame-malformed'],
  ['a message over the limit', '00000000 65000000', 'message-too-large'],
])('a header with %s is refused', (_, digits, code) => {
  expect(() => decodeHeader(bytes(digits), 100)).toThrow(expect.objectContaining({ code }))
})
