import {
  commitTensor,
  type Direction,
  type DType,
  deriveSeed,
  drawWithoutReplacement,
  joinHeads,
  openTensor,
  randomStream,
  rowBytes,
  samplerNamed,
  sha256,
  transcript,
  type UnitShape,
  weightDigest,
} from '@tensor-assay/core'
import commitment from '../../../packages/core/test/vectors/commitment.json' with { type: 'json' }
import random from '../../../packages/core/test/vectors/random.json' with { type: 'json' }
import sampling from '../../../packages/core/test/vectors/sampling.json' with { type: 'json' }

/** A frozen value, and what this engine computes in its place. */
export interface Compared {
  readonly what: string
  readonly frozen: unknown
  readonly computed: unknown
}

/** The commitments and challenges of core's frozen vectors, for Node and for a page. */
export function compareFrozen(): Compared[] {
  return [...commitments(), ...transcripts(), ...challenges()]
}

function* commitments(): Generator<Compared> {
  for (const { dtype, bytes, digest } of commitment.weights) {
    yield { what: 'weight', frozen: digest, computed: weightDigest(dtype as DType, fromHex(bytes)) }
  }
  const [session, saltKey] = [fromHex(commitment.session), fromHex(commitment.saltKey)]
  for (const { tensor, rows, cols, dtype, opened, treeRoot, root, salts, proof } of commitment.tensors) {
    const bytes = new Uint8Array(rows * rowBytes({ cols, dtype: dtype as DType })).map((_, i) => i * 31 + 7)
    const matrix = { rows, cols, dtype: dtype as DType, bytes }
    const committed = commitTensor(sha256, { session, tensor, matrix, saltKey, leafRows: 1 })
    const opening = openTensor(committed, Uint32Array.from(opened))
    const computed = [committed.tree.root, committed.root, opening.salts, opening.proof].map(toHex)
    yield { what: 'tensor', frozen: [treeRoot, root, salts, proof], computed }
  }
}

function* transcripts(): Generator<Compared> {
  const chains = { prover: transcript(sha256, 'prover'), verifier: transcript(sha256, 'verifier') }
  for (const { direction, frame, head } of commitment.transcripts.frames) {
    const chain = chains[direction as Direction]
    chain.append([fromHex(frame)])
    yield { what: 'transcript', frozen: head, computed: toHex(chain.head) }
  }
  const joined = toHex(joinHeads(sha256, chains.prover.head, chains.verifier.head))
  yield { what: 'joined transcripts', frozen: commitment.transcripts.joined, computed: joined }
}

function* challenges(): Generator<Compared> {
  const key = fromHex(random.seed)
  for (const { label, fields, seed } of random.derived) {
    yield { what: 'seed', frozen: seed, computed: toHex(deriveSeed(key, label, ...(fields as (string | number)[]))) }
  }
  for (const { count, n, drawn } of random.draws) {
    yield { what: 'draw', frozen: drawn, computed: [...drawWithoutReplacement(randomStream(key), count, n)] }
  }
  for (const { sampler, parameters, seed, shape, plan } of sampling) {
    const made = samplerNamed(sampler, parameters as Record<string, number>)
    const { rows, columns } = made.plan(fromHex(seed), shape as UnitShape)
    yield { what: 'plan', frozen: plan, computed: { rows: [...rows], ...(columns && { columns: [...columns] }) } }
  }
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16))
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

Object.assign(globalThis, { compareFrozen })
