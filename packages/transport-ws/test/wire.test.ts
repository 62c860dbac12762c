import { expect, test } from 'vitest'
import { closeReason, joined } from '../src/link.ts'
import { creditLine, helloLine, longestLineBytes, parseLine, tokenProtocol } from '../src/wire.ts'

test('lines are as documented', () => {
  expect(helloLine({ maxMessageBytes: 67_108_864, windowBytes: 8_388_608 })).toBe('hello 67108864 8388608')
  expect(creditLine(4_194_304)).toBe('credit 4194304')
  expect(parseLine('hello 67108864 8388608')).toEqual({
    kind: 'hello',
    maxMessageBytes: 67_108_864,
    windowBytes: 8_388_608,
  })
  expect(parseLine('credit 4294967550')).toEqual({ kind: 'credit', bytes: 4_294_967_550 })
  expect(parseLine('goodbye')).toEqual({ kind: 'goodbye' })
  expect(helloLine({ maxMessageBytes: 2 ** 31 - 1, windowBytes: 2 ** 31 - 1 }).length).toBeLessThan(longestLineBytes)
})

test.each([
  '',
  ' ',
  'Goodbye',
  'goodbye\n',
  ' goodbye',
  'goodbye 1',
  'hello',
  'hello 1',
  'hello 1 ',
  'hello 1 2 3',
  'hello  1 2',
  'hello 0 1',
  'hello 1 0',
  'hello 01 1',
  'hello -1 1',
  'hello 1.5 1',
  'hello 1e3 1',
  'hello 2147483648 1',
  'hello 1 2147483648',
  'hello 99999999999999999999 1',
  'credit',
  'credit 0',
  'credit +1',
  'credit 1000000000000000',
  'credit 1 1',
  'credit 1\n',
  'credit ١',
])('%j is no line', (text) => {
  expect(parseLine(text)).toBeUndefined()
})

test.each([
  ['secret', 'tensor-assay.bearer.c2VjcmV0'],
  ['a', 'tensor-assay.bearer.YQ'],
  ['~~~???'.replaceAll('?', '/'), 'tensor-assay.bearer.fn5-Ly8v'],
])('the token %j is the subprotocol %s', (token, protocol) => {
  expect(tokenProtocol(token)).toBe(protocol)
})

test('the parts of a message are joined, and a single one is not copied', () => {
  const part = Uint8Array.of(1, 2, 3)
  expect(joined([part])).toBe(part)
  expect(joined([new Uint8Array(0), part, new Uint8Array(0)])).toBe(part)
  expect(joined([part, Uint8Array.of(4)])).toEqual(Uint8Array.of(1, 2, 3, 4))
  expect(joined([])).toEqual(new Uint8Array(0))
})

test('a reason for a close frame is short and plain', () => {
  const reason = closeReason(new Error(`bytes é\n${'x'.repeat(200)}`))
  expect(reason).toMatch(/^bytes \?\?x+$/)
  expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123)
})
