import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import {
  createIdentity,
  fingerprint as fingerprintOf,
  isSignedBy,
  type Manifest,
  manifestDigest,
  parseFingerprint,
  parseManifest,
} from '@tensor-assay/core'
import { identityFile } from '@tensor-assay/core/node'
import { join } from '../damage.ts'
import type { Random } from '../random.ts'
import { revalue } from '../revalue.ts'
import { attempt, attemptLater, promised, refused, sameBytes, type Target } from '../target.ts'

const utf8 = new TextEncoder()
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

const digest = 'ab'.repeat(32)
const manifestSeed: Manifest = {
  format: 'tensor-assay-manifest',
  version: 1,
  operations: [
    {
      kind: 'product',
      operation: 'MatMul',
      node: 'first',
      layout: { kind: 'matmul', k: 4, n: null },
      b: { digest, transposed: false },
      zeroPoints: { a: null, b: digest },
      alpha: 0.5,
      scales: digest,
      bias: digest,
      activation: { name: 'prelu', slopes: digest },
      zeroPoint: -3,
      profile: 'int8',
      links: {},
    },
    { kind: 'opaque', operation: 'Einsum' },
    {
      kind: 'product',
      operation: 'Conv2D',
      layout: {
        kind: 'convolution',
        channelsLast: true,
        groups: 1,
        inChannels: 3,
        outChannels: 4,
        kernel: [3, 3],
        strides: [1, 1],
        dilations: [1, 1],
        padding: null,
      },
      b: null,
      alpha: null,
      activation: { name: 'leakyrelu', slope: 0.1 },
      profile: 'float32',
      links: { a: { operation: 0, tensor: 'c' }, b: { operation: 0, tensor: 'a' } },
    },
    {
      kind: 'product',
      operation: 'MatMul',
      layout: { kind: 'matmul', k: null, n: 4 },
      b: null,
      alpha: 1,
      activation: { name: 'linear' },
      profile: 'float32',
      links: {},
      relations: {
        a: [
          { op: 'tensor', operation: 0, tensor: 'c', shape: [2, null], layout: [null, 4] },
          { op: 'weight', digest, shape: [4] },
          { op: 'number', value: 0.5 },
          { op: 'multiply', x: 0, y: 2 },
          { op: 'softmax', x: 3, axis: 1 },
          { op: 'reshape', x: 4, shape: [null, 4] },
          { op: 'transpose', x: 5, permutation: [1, 0] },
          { op: 'slice', x: 6, axis: 0, start: 1, end: null },
          { op: 'concat', of: [6, 7], axis: 0 },
          { op: 'normalize', x: 8, axis: 1, epsilon: 1e-5, centred: true },
          { op: 'mean', x: 9, axes: [1], keepDims: true },
          { op: 'erf', x: 10 },
        ],
        b: [{ op: 'tensor', operation: 2, tensor: 'c' }],
      },
    },
  ],
}

/** Another value somewhere in a JSON text. */
export function rewriteJson(input: Uint8Array, random: Random): Uint8Array {
  try {
    return utf8.encode(JSON.stringify(revalue(JSON.parse(text(input)), random)))
  } catch {
    return input
  }
}

/** Manifests: what is accepted comes back from its own JSON, with the same digest. */
export const manifest: Target = {
  name: 'manifest',
  maxInputBytes: 8192,
  allowedBytes: (length) => 65_536 + 256 * length,
  tokens: ['null', '1e999', '-0', '{}', '[]', '"__proto__":1,', '\\ud800', '"a"', ','].map((token) =>
    utf8.encode(token),
  ),
  seeds: () => [
    utf8.encode(JSON.stringify(manifestSeed)),
    utf8.encode(JSON.stringify({ ...manifestSeed, operations: [] })),
  ],
  rewrite: rewriteJson,
  check(input) {
    const parsed = attempt(() => parseManifest(text(input)), ['manifest-malformed'])
    if (parsed === refused) return false
    const again = parseManifest(JSON.stringify(parsed))
    promised(/^[0-9a-f]{64}$/.test(manifestDigest(parsed)), 'its digest is none')
    promised(manifestDigest(again) === manifestDigest(parsed), 'its own JSON is another manifest')
    return true
  },
}

const identity = createIdentity(new Uint8Array(32).fill(3))

/** Fingerprints of keys, as somebody types them. */
export const fingerprint: Target = {
  name: 'fingerprint',
  maxInputBytes: 256,
  allowedBytes: (length) => 1024 + 64 * length,
  seeds: () => [utf8.encode(identity.fingerprint)],
  check(input) {
    let key: Uint8Array
    try {
      key = parseFingerprint(text(input))
    } catch (error) {
      if (error instanceof TypeError) return false
      throw error
    }
    promised(fingerprintOf(key) === text(input), 'two texts are one key')
    return true
  },
}

const folder = mkdtempSync(joinPath(tmpdir(), 'fuzz-identity-'))
const header = 'tensor-assay ed25519 secret key\n'

/** Files of secret keys: a spoilt one is refused, and no word is lost on what it holds. */
export const identityFiles: Target = {
  name: 'identity-file',
  maxInputBytes: 512,
  allowedBytes: (length) => 65_536 + 64 * length,
  tokens: [utf8.encode(header), utf8.encode('0'.repeat(64))],
  seeds: () => [utf8.encode(`${header}${'5a'.repeat(32)}\n`)],
  async check(input) {
    const path = joinPath(folder, 'key')
    writeFileSync(path, input)
    chmodSync(path, 0o600)
    const read = await attemptLater(async () => {
      try {
        return await identityFile(path)
      } catch (error) {
        const secrets = text(input).match(/[0-9a-f]{12,}/g) ?? []
        const words = `${(error as Error).stack}`
        promised(!secrets.some((secret) => words.includes(secret)), 'the error shows a secret')
        throw error
      }
    }, ['identity-unusable'])
    if (read === refused) return false
    const hex = text(input).slice(header.length, -1)
    promised(sameBytes(read.publicKey, createIdentity(Buffer.from(hex, 'hex')).publicKey), 'another key is read')
    promised(input.length === header.length + 65, 'something follows the key')
    return true
  },
}

const statement = ['close', new Uint8Array(32), 7] as const
const signed = identity.sign(...statement)

/** Signatures (64 bytes) and the keys behind them (the rest): only the owner's is one. */
export const signature: Target = {
  name: 'signature',
  maxInputBytes: 128,
  allowedBytes: (length) => 2 ** 20 + 64 * length,
  seeds: () => [join(signed, identity.publicKey)],
  check(input) {
    if (!isSignedBy(input.subarray(64), input.subarray(0, 64), ...statement)) return false
    promised(sameBytes(input, join(signed, identity.publicKey)), 'a signature of nobody is accepted')
    return true
  },
}
