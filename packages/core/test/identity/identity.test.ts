import { hexToBytes } from '@noble/hashes/utils.js'
import { expect, test } from 'vitest'
import { createIdentity, fingerprint, isSignedBy, parseFingerprint } from '../../src/identity/identity.ts'

const secret = hexToBytes('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60')

test('the public key is that of RFC 8032, section 7.1', () => {
  expect(createIdentity(secret).fingerprint).toBe(
    'ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
  )
})

test('a signature holds for its key, tag and fields, and for nothing else', () => {
  const identity = createIdentity(secret)
  const { publicKey } = identity
  const signature = identity.sign('close', 'a', 1)
  expect(isSignedBy(publicKey, signature, 'close', 'a', 1)).toBe(true)
  expect(isSignedBy(publicKey, signature, 'open', 'a', 1)).toBe(false)
  expect(isSignedBy(publicKey, signature, 'close', 'a', 2)).toBe(false)
  expect(isSignedBy(publicKey, signature, 'close', 'a')).toBe(false)
  expect(isSignedBy(createIdentity().publicKey, signature, 'close', 'a', 1)).toBe(false)
  for (let bit = 0; bit < 512; bit += 7) {
    const changed = signature.slice()
    changed[bit >> 3]! ^= 1 << (bit & 7)
    expect(isSignedBy(publicKey, changed, 'close', 'a', 1)).toBe(false)
  }
})

test('what is no key or no signature is no proof', () => {
  const identity = createIdentity(secret)
  const signature = identity.sign('x')
  expect(isSignedBy(new Uint8Array(32), signature, 'x')).toBe(false)
  expect(isSignedBy(new Uint8Array(31), signature, 'x')).toBe(false)
  expect(isSignedBy(identity.publicKey, new Uint8Array(64), 'x')).toBe(false)
  expect(isSignedBy(identity.publicKey, signature.subarray(1), 'x')).toBe(false)
  // The neutral element, for which signatures on every message can be made.
  const weak = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0))
  const forged = new Uint8Array(64)
  forged[0] = 1
  expect(isSignedBy(weak, forged, 'x')).toBe(false)
})

test('fingerprints are read back, and nothing else is', () => {
  const { publicKey } = createIdentity(secret)
  expect(parseFingerprint(fingerprint(publicKey))).toEqual(publicKey)
  for (const text of ['', 'ed25519:', fingerprint(publicKey).toUpperCase(), `${fingerprint(publicKey)}0`]) {
    expect(() => parseFingerprint(text)).toThrow(TypeError)
  }
})
