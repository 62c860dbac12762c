import { safeParse } from 'valibot'
import { afterAll, expect, test, vi } from 'vitest'
import { decodeMessage, encodeMessage } from '../../src/codec/messages.ts'

vi.mock('valibot', async (original) => {
  const valibot = await original<typeof import('valibot')>()
  return { ...valibot, safeParse: vi.fn(valibot.safeParse) }
})
afterAll(() => vi.restoreAllMocks())

// A list of so many wrong elements once cost 20 seconds and two gigabytes of descriptions.
test('of many problems in a message only the first is described', () => {
  const versions = Array.from({ length: 100 }, () => -1)
  const bytes = Buffer.concat(encodeMessage('hello', { versions } as never))
  expect(() => decodeMessage(bytes)).toThrow(/^hello message, field versions\.0: /)
  const [parsed] = vi.mocked(safeParse).mock.results
  expect(parsed?.value.issues).toHaveLength(1)
})
