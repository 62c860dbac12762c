import { pbkdf2Sync } from 'node:crypto'
import { expect, test } from 'vitest'
import { encodeFields } from '../../src/commitment/fields.ts'
import { receiptKey } from '../../src/receipt/key.ts'

const head = new Uint8Array(32).fill(9)

test.each([1, 2, 1000])(
  'the key takes %i iterations of PBKDF2-HMAC-SHA256, as another library has it',
  async (iterations) => {
    const expected = pbkdf2Sync(head, encodeFields('receipt', iterations), iterations, 32, 'sha256')
    expect(Buffer.from(await receiptKey(head, iterations))).toEqual(expected)
  },
)

test('another transcript has another key', async () => {
  expect(await receiptKey(head, 1)).not.toEqual(await receiptKey(new Uint8Array(32), 1))
})
