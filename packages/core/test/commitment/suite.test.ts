import { bytesToHex } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nativeBlake3, nativeSha256, portableBlake3, portableSha256 } from '../../src/commitment/digest.ts'
import { loadSuite, sha256, suiteOf } from '../../src/commitment/suite.ts'
import { AssayError } from '../../src/errors.ts'

const implementations = [
  { id: 'sha256', name: 'native', digest: nativeSha256() },
  { id: 'sha256', name: 'portable', digest: portableSha256 },
  { id: 'blake3', name: 'native', digest: nativeBlake3() },
  { id: 'blake3', name: 'portable', digest: portableBlake3 },
] as const

/** The bytes 0, 1, …, 250, 0, 1, … of the official BLAKE3 test vectors. */
const input = (length: number) => Uint8Array.from({ length }, (_, i) => i % 251)

const known = {
  sha256: {
    // FIPS 180-4 examples.
    '': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    '616263': 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  },
  blake3: {
    '': 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262',
    [bytesToHex(input(1))]: '2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213',
    [bytesToHex(input(1024))]: '42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7',
    [bytesToHex(input(1025))]: 'd00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444',
  },
}

for (const { id, name, digest } of implementations) {
  describe(`${id}, ${name}`, () => {
    if (digest === undefined) {
      test.skip(`not available in this runtime`, () => {})
      return
    }
    const suite = suiteOf(id, digest)

    test('agrees with published vectors', () => {
      for (const [hex, expected] of Object.entries(known[id])) {
        expect(bytesToHex(suite.hash(Uint8Array.from(Buffer.from(hex, 'hex'))))).toBe(expected)
      }
    })

    test('hashes parts as if they were joined, on both sides of the size where it stops joining them', () => {
      const portable = suiteOf(id, id === 'sha256' ? portableSha256 : portableBlake3)
      for (const total of [0, 1, 64, 4096, 4097, digest.joinBytes, digest.joinBytes + 1]) {
        const whole = input(total)
        const expected = portable.hash(whole)
        for (const cuts of [[], [0], [total >> 1], [1, total >> 2, total >> 1]]) {
          const ends = [0, ...cuts.filter((cut) => cut <= total).sort((a, b) => a - b), total]
          const parts = ends.slice(1).map((end, i) => whole.subarray(ends[i], end))
          expect(suite.hash(...parts)).toEqual(expected)
        }
      }
      expect(suite.hash()).toEqual(portable.hash(new Uint8Array(0)))
    })

    test('returns a plain Uint8Array that the next hash does not overwrite', () => {
      const first = suite.hash(input(3), input(4))
      const copy = first.slice()
      suite.hash(input(5), input(6))
      expect(first.constructor).toBe(Uint8Array)
      expect(first).toHaveLength(suite.digestBytes)
      expect(first).toEqual(copy)
    })

    test('agrees with the portable implementation on random input at any alignment', () => {
      const portable = id === 'sha256' ? portableSha256 : portableBlake3
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(8), (bytes, skip) => {
          expect(digest.hash(bytes.subarray(skip))).toEqual(portable.hash(bytes.slice(skip)))
          expect(digest.hashParts([bytes, bytes.subarray(skip)])).toEqual(
            portable.hashParts([bytes, bytes.subarray(skip)]),
          )
        }),
        { seed: 2, numRuns: 30 },
      )
    })
  })
}

describe('loadSuite', () => {
  test('finds both suites', () => {
    expect(loadSuite('sha256')).toBe(sha256)
    expect(loadSuite('blake3').id).toBe('blake3')
    expect(loadSuite('blake3')).toBe(loadSuite('blake3'))
  })

  test.each(['sha1', '', 'SHA256', 'toString'])('refuses %j', (id) => {
    expect(() => loadSuite(id)).toThrow(
      expect.toSatisfy((error) => AssayError.isInstance(error) && error.code === 'suite-unknown'),
    )
  })
})

describe('a runtime without Node', () => {
  test('falls back to portable implementations of the same bytes', () => {
    const { process } = globalThis
    try {
      Reflect.deleteProperty(globalThis, 'process')
      expect([nativeSha256(), nativeBlake3()]).toEqual([undefined, undefined])
      globalThis.process = { ...process, getBuiltinModule: () => undefined } as unknown as typeof process
      expect([nativeSha256(), nativeBlake3()]).toEqual([undefined, undefined])
    } finally {
      globalThis.process = process
    }
  })

  test('uses createHash where the one-shot form is missing', () => {
    const { process } = globalThis
    const { hash: _, ...crypto } = process.getBuiltinModule('node:crypto')
    try {
      globalThis.process = { ...process, getBuiltinModule: () => crypto } as unknown as typeof process
      expect(nativeSha256()?.hash(input(100))).toEqual(portableSha256.hash(input(100)))
    } finally {
      globalThis.process = process
    }
  })
})
