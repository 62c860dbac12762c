import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { describe, expect, test } from 'vitest'
import { loadSuite, sha256 } from '../../src/commitment/suite.ts'
import { type Direction, joinHeads, transcript } from '../../src/commitment/transcript.ts'
import vectors from '../vectors/commitment.json' with { type: 'json' }

const bytes = (text: string) => new TextEncoder().encode(text)

function headOf(frames: readonly string[], direction: Direction = 'prover', suite = sha256): string {
  const chain = transcript(suite, direction)
  for (const frame of frames) chain.append([bytes(frame)])
  return bytesToHex(chain.head)
}

describe('transcript', () => {
  test('agrees with the frozen vectors', () => {
    const chains = { prover: transcript(sha256, 'prover'), verifier: transcript(sha256, 'verifier') }
    for (const { direction, frame, head } of vectors.transcripts.frames) {
      const chain = chains[direction as Direction]
      chain.append([hexToBytes(frame)])
      expect(bytesToHex(chain.head)).toBe(head)
    }
    expect(bytesToHex(joinHeads(sha256, chains.prover.head, chains.verifier.head))).toBe(vectors.transcripts.joined)
  })

  test('starts with 32 zero bytes and moves with every frame, even an empty one', () => {
    const chain = transcript(sha256, 'prover')
    expect(chain.head).toEqual(new Uint8Array(32))
    const before = chain.head
    chain.append([])
    expect(chain.head).not.toEqual(before)
    expect(before).toEqual(new Uint8Array(32))
  })

  test('does not depend on how a frame is cut into parts', () => {
    const whole = transcript(sha256, 'prover')
    const parts = transcript(sha256, 'prover')
    whole.append([bytes('header and payload')])
    parts.append([bytes('header'), bytes(' and '), new Uint8Array(0), bytes('payload')])
    expect(parts.head).toEqual(whole.head)
  })

  test('tells apart other orders, other cuts between frames, a dropped or repeated frame, and directions', () => {
    const heads = [
      headOf(['a', 'b']),
      headOf(['b', 'a']),
      headOf(['ab']),
      headOf(['a']),
      headOf(['a', 'b', 'b']),
      headOf(['a', 'b'], 'verifier'),
      headOf(['a', 'b'], 'prover', loadSuite('blake3')),
    ]
    expect(new Set(heads).size).toBe(heads.length)
  })

  test('joined heads know which is whose', () => {
    const [a, b] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
    expect(joinHeads(sha256, a, b)).not.toEqual(joinHeads(sha256, b, a))
  })
})
