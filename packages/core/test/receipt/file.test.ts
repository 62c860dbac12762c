import { describe, expect, test } from 'vitest'
import { decodeReceipt, encodeReceipt, maxReceiptBytes } from '../../src/receipt/file.ts'

const messages = [Uint8Array.of(1, 2, 3), new Uint8Array(0), Uint8Array.of(4)]
const file = () => encodeReceipt(messages)
const refused = (bytes: Uint8Array, code: string, message: RegExp) =>
  expect(() => [...decodeReceipt(bytes)]).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(message) }),
  )

test('the layout is frozen', () => {
  expect(Buffer.from(file()).toString('hex')).toBe('5441524301000000' + '03000000010203' + '00000000' + '0100000004')
})

test('messages are views of the file', () => {
  const bytes = file()
  expect([...decodeReceipt(bytes)]).toEqual(messages)
  expect([...decodeReceipt(bytes)].every(({ buffer }) => buffer === bytes.buffer)).toBe(true)
})

describe('refused', () => {
  test('another magic, another version', () => {
    refused(file().fill(0, 0, 1), 'receipt-malformed', /does not begin/)
    refused(file().fill(2, 4, 5), 'version-unsupported', /version 2/)
    refused(file().fill(1, 7, 8), 'version-unsupported', /version 16777217/)
  })

  test('a message that is cut off, and a length that is', () => {
    const bytes = file()
    for (const [length, message] of [
      [7, /does not begin/],
      [10, /within the length/],
      [13, /a message ends at 15, the file at 13/],
      [bytes.length - 1, /a message ends at 24, the file at 23/],
    ] as const) {
      refused(bytes.subarray(0, length), 'receipt-malformed', message)
    }
  })

  test('a length beyond everything', () => {
    refused(file().fill(255, 8, 12), 'receipt-malformed', /a message ends at 4294967307/)
  })

  test('a file over the limit, before anything of it is read', () => {
    refused({ length: maxReceiptBytes + 1 } as Uint8Array, 'receipt-malformed', /of at most/)
  })
})
