import { decode, encode, rfc8949EncodeOptions } from 'cborg'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalProblem, controlLimits } from '../../src/codec/canonical.ts'
import { decodeControl, encodeControl } from '../../src/codec/control.ts'
import { decodeMessage, encodeMessage } from '../../src/codec/messages.ts'

/** What "deterministic" means, without a limit on work: decoding and encoding again gives the same bytes. */
function comesBack(bytes: Uint8Array): boolean {
  try {
    const value = decode(bytes, { strict: true, allowIndefinite: false, allowUndefined: false, allowBigInt: false })
    return Buffer.from(encode(value, rfc8949EncodeOptions)).equals(bytes) && JSON.stringify(value) !== undefined
  } catch {
    return false
  }
}

function list(items: number, item: number): Uint8Array {
  const bytes = new Uint8Array(5 + items).fill(item)
  bytes[0] = 0x9a
  new DataView(bytes.buffer).setUint32(1, items)
  return bytes
}

const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0),
    fc.float({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0),
    fc.boolean(),
    fc.constant(null),
    fc.string({ unit: 'grapheme', maxLength: 40 }).filter((text) => !text.startsWith('\ufeff')),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('value'), { maxLength: 30 }),
    fc.dictionary(fc.string({ maxLength: 30 }), tie('value'), { maxKeys: 30 }),
  ),
})).value

test('what the encoder writes is accepted, and comes back', () => {
  fc.assert(
    fc.property(value, (something) => {
      const bytes = encodeControl(something)
      expect(canonicalProblem(bytes)).toBeUndefined()
      expect(encodeControl(decodeControl(bytes))).toEqual(bytes)
    }),
    { seed: 1, numRuns: 2000 },
  )
})

test('bytes are accepted exactly if they are what the encoder writes for their value', () => {
  // Dense in the first bytes of heads, so that short noise is often nearly right.
  const heads = [0x00, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x20, 0x38, 0x40, 0x41, 0x58, 0x60, 0x61, 0x62, 0x78, 0x80, 0x81]
  const more = [
    0x82, 0x98, 0x9f, 0xa0, 0xa1, 0xa2, 0xb8, 0xbf, 0xc0, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xff,
  ]
  const byte = fc.oneof(fc.constantFrom(...heads, ...more), fc.integer({ min: 0, max: 255 }))
  const noise = fc.array(byte, { maxLength: 12 }).map((bytes) => Uint8Array.from(bytes))
  const damaged = fc.tuple(value, fc.nat(), fc.nat({ max: 255 })).map(([something, place, bits]) => {
    const bytes = Uint8Array.from(encodeControl(something))
    bytes[place % bytes.length]! ^= bits
    return bytes
  })
  fc.assert(
    fc.property(fc.oneof(noise, damaged), (bytes) => {
      expect(canonicalProblem(bytes) === undefined).toBe(comesBack(bytes))
    }),
    { seed: 1, numRuns: 20_000 },
  )
})

describe('refused, with the reason', () => {
  test.each([
    ['', /ends where a value is expected/],
    ['18 17', /longer than it has to be/],
    ['19 00ff', /longer than it has to be/],
    ['1a 0000ffff', /longer than it has to be/],
    ['1b 00000000ffffffff', /longer than it has to be/],
    ['1c', /longer than it has to be/],
    ['19 01', /cut off/],
    ['1b 0020000000000000', /not below 2\^53/],
    ['3b 001fffffffffffff', /not above -2\^53/],
    ['43 0102', /3 bytes are declared at byte 0, 2 are left/],
    ['5b ffffffffffffffff 00', /1 are left/],
    ['9b ffffffffffffffff 00', /with 1 bytes left/],
    ['bb ffffffffffffffff 00', /with 1 bytes left/],
    ['9f 00 ff', /longer than it has to be/],
    ['a1 00 00', /no text as a key/],
    ['a2 6162 01 6161 01', /out of order, or twice/],
    ['a2 6161 01 6161 01', /out of order, or twice/],
    ['a2 626161 01 6162 01', /out of order, or twice/],
    ['a1 6161', /ends where a value is expected/],
    ['c0 00', /a tag/],
    ['f7', /not false, true or null/],
    ['f8 14', /not false, true or null/],
    ['f9 7c00', /not finite/],
    ['f9 7e00', /not finite/],
    ['f9 0000', /another encoding/],
    ['f9 8000', /another encoding/],
    ['f9 3c00', /another encoding/],
    ['fa 3fc00000', /another encoding/],
    ['fb 3ff8000000000000', /another encoding/],
    ['fb 3ff80000', /cut off/],
    ['62 c328', /not UTF-8/],
    ['63 eda080', /not UTF-8/],
    ['64 efbbbf61', /byte order mark/],
    ['00 00', /1 bytes follow/],
  ])('%s', (hex, reason) => {
    expect(canonicalProblem(Buffer.from(hex.replaceAll(' ', ''), 'hex'))).toMatch(reason)
  })

  test('more items than the limit', () => {
    const { maxControlItems } = controlLimits
    expect(canonicalProblem(list(maxControlItems - 1, 0x00))).toBeUndefined()
    expect(canonicalProblem(list(maxControlItems, 0x00))).toMatch(/items/)
  })

  test('deeper than the limit', () => {
    const { maxControlDepth } = controlLimits
    const nested = (depth: number) => Uint8Array.of(...new Uint8Array(depth).fill(0x81), 0x00)
    expect(canonicalProblem(nested(maxControlDepth))).toBeUndefined()
    expect(canonicalProblem(nested(maxControlDepth + 1))).toMatch(/deeper/)
    expect(canonicalProblem(new Uint8Array(1_000_000).fill(0x81))).toMatch(/deeper/)
  })
})

test('of a million problems in a message only the first is looked for', () => {
  // A list of so many wrong elements once cost 20 seconds and two gigabytes of descriptions.
  const control = { versions: Array.from({ length: 200_000 }, () => -1) }
  const bytes = Buffer.concat(encodeMessage('hello', control as never))
  expect(() => decodeMessage(bytes)).toThrow(/^hello message, field versions\.0: /)
})

test('words of the peer are cut and escaped where an error repeats them', () => {
  const thrown = (control: unknown) => {
    try {
      decodeMessage(Buffer.concat(encodeMessage('error', control as never)))
    } catch (error) {
      return (error as Error).message
    }
    return ''
  }
  const long = thrown({ code: 'x', message: 1, ['k\n'.repeat(10_000)]: 1 })
  const field = thrown({ code: 'x', message: 'y', ['k\n'.repeat(10_000)]: 1 })
  const value = thrown(`\u001b[2J${'x'.repeat(10_000)}`)
  for (const message of [long, field, value]) {
    expect(message.length).toBeLessThan(400)
    expect(message).not.toMatch(/\p{Cc}/u)
  }
  expect(value).toContain('\\u001b[2J')
})

test('no name of a sampling parameter goes unseen', () => {
  const policy = (parameters: object) => ({
    version: 1,
    mode: 'spot',
    suite: 'sha256',
    sampler: { name: 'rows', parameters: parameters as Record<string, number> },
    nonce: new Uint8Array(32),
    window: 1,
    weights: new Uint8Array(0),
  })
  const again = (parameters: object) => {
    const message = decodeMessage(Buffer.concat(encodeMessage('policy', policy(parameters))))
    return message.type === 'policy' && Object.keys(message.control.sampler.parameters)
  }
  expect(again(JSON.parse('{"__proto__": 1, "constructor": 2}'))).toEqual(['__proto__', 'constructor'])
  expect(() => again({ rate: 'much' })).toThrow(/finite numbers by name/)
  expect(() => again(Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`p${i}`, i])))).toThrow(/at most 32/)
})
