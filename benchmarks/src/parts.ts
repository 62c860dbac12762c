import {
  challengeSeed,
  commitTensor,
  encodeMessage,
  leafRowsOf,
  loadSuite,
  type Matrix,
  openedRows,
  openRows,
  type Product,
  transcript,
  unitShape,
  weightDigest,
} from '@tensor-assay/core'
import { tcp } from '@tensor-assay/transport-tcp'
import { spread } from './measure.ts'
import { policyOf } from './policies.ts'
import type { Subject } from './subject.ts'

/** Milliseconds of the prover's process that a part of the audit of one run takes in `interactive` mode. */
export interface Parts {
  /** In the call of `audit`: copies of every A and C, into memory that is not new. */
  readonly copying: number
  /** In the first call of `audit` of a session only: the digests of the weights and biases. */
  readonly identifying: number
  /** Behind the run, in a thread of its own where there is one: salts, hashes of the rows and trees. */
  readonly hashing: number
  /** Behind the run: drawing the rows, copying them, and the proofs. */
  readonly opening: number
  /** Behind the run: encoding, adding to the transcript, and handing to the socket. */
  readonly sending: number
}

/**
 * Times the parts by themselves, one after the other, over one run; medians of several.
 *
 * @param sink - Address of a peer that swallows what it is sent.
 */
export async function measureParts(subject: Subject, sink: string, repetitions: number): Promise<Parts> {
  const channel = await tcp().dial(sink)
  const memory = recycledMemory()
  const taken: Parts[] = []
  for (let repetition = -1; repetition < repetitions; repetition++) {
    const parts = await partsOfRun(subject, channel.send.bind(channel), memory)
    if (repetition >= 0) taken.push(parts)
  }
  await channel.close()
  const median = (part: keyof Parts) => spread(taken.map((parts) => parts[part])).median
  return {
    copying: median('copying'),
    identifying: median('identifying'),
    hashing: median('hashing'),
    opening: median('opening'),
    sending: median('sending'),
  }
}

interface Seen extends Pick<Product, 'layout'> {
  readonly right: 'weight' | 'activation'
  /** Tensors in the order of an opening's segments: A, C and, where B is an activation, B. */
  readonly tensors: readonly Matrix[]
}

type Send = (parts: readonly Uint8Array[]) => Promise<void>

async function partsOfRun(subject: Subject, send: Send, memory: Memory): Promise<Parts> {
  const stopwatch = { copying: 0, identifying: 0, hashing: 0, opening: 0, sending: 0 }
  function timed<T>(part: keyof Parts, work: () => T): T {
    const start = performance.now()
    const result = work()
    stopwatch[part] += performance.now() - start
    return result
  }

  const { seen, matrices } = await observe(subject, memory, timed)

  const { suite: suiteId, sampler } = policyOf('interactive', subject.acceptActivations)
  const suite = loadSuite(suiteId)
  const session = new Uint8Array(32)
  const saltKey = new Uint8Array(32)
  const committed = new Map(
    matrices.map((matrix, tensor) => [
      matrix,
      timed('hashing', () => commitTensor(suite, { session, tensor, matrix, leafRows: leafRowsOf(matrix), saltKey })),
    ]),
  )

  const sent = transcript(suite, 'prover')
  for (const [sequence, { layout, right, tensors }] of seen.entries()) {
    const openings = timed('opening', () => {
      const sampled = { layout, right }
      const plan = sampler.plan(challengeSeed(saltKey, session, sequence), unitShape(sampled))
      const rows = openedRows(sampled, plan)
      return [rows.a, rows.c, rows.b].flatMap((indices, i) =>
        indices === undefined ? [] : openRows(tensors[i]!, committed.get(tensors[i]!)!, indices),
      )
    })
    const start = performance.now()
    const [a, c, b] = openings
    // A short message stands for the commitment, which goes ahead.
    const commitment = encodeMessage('open', { session })
    const opening = encodeMessage(
      'opening',
      { sequence, a: a!.opening, c: c!.opening, ...(b ? { b: b.opening } : {}) },
      openings.map(({ bytes }) => bytes),
    )
    for (const message of [commitment, opening]) {
      sent.append(message)
      await send(message)
    }
    stopwatch.sending += performance.now() - start
  }
  memory.reuse()
  return stopwatch
}

/** Runs once, with copies and digests taken as a session takes them: each tensor once. */
async function observe(
  { backend, prepare, weights }: Subject,
  memory: Memory,
  timed: <T>(part: keyof Parts, work: () => T) => T,
): Promise<{ seen: readonly Seen[]; matrices: readonly Matrix[] }> {
  const seen: Seen[] = []
  const copies = new Map<object, Matrix>()
  const digests = new Map<object, string>()
  const lengths = new Set(weights.map(({ shape }) => 4 * shape.reduce((product, size) => product * size, 1)))

  function copy(handle: Product['a']): Matrix {
    let matrix = copies.get(handle.key)
    if (matrix === undefined) {
      matrix = timed('copying', () => atOnce(handle.read(undefined, memory.allocate)))
      copies.set(handle.key, matrix)
    }
    return matrix
  }

  function identify(operand: Pick<Product['b'], 'stored'>): boolean {
    const stored = atOnce(operand.stored())
    if (!lengths.has(stored.bytes.length)) return false
    if (!digests.has(stored.key)) {
      digests.set(
        stored.key,
        timed('identifying', () => weightDigest(stored.dtype, stored.bytes)),
      )
    }
    return true
  }

  const prepared = prepare('auditable')
  const failures: unknown[] = []
  const interception = backend.intercept({
    product({ layout, a, b, c, epilogue }) {
      try {
        const isWeight = b.role === 'candidate' && identify(b)
        if (epilogue.bias) identify(epilogue.bias)
        const tensors = isWeight ? [copy(a), copy(c)] : [copy(a), copy(c), copy(b)]
        seen.push({ layout, right: isWeight ? 'weight' : 'activation', tensors })
      } catch (error) {
        failures.push(error)
      }
    },
    opaque: () => {},
  })
  await prepared.run()
  interception.restore()
  prepared.dispose()
  if (failures.length > 0) throw failures[0]
  return { seen, matrices: [...copies.values()] }
}

function atOnce<T>(value: T | Promise<T>): T {
  if (value instanceof Promise) throw new TypeError('a backend that does not read at once cannot be timed part by part')
  return value
}

interface Memory {
  allocate(bytes: number): Uint8Array
  /** Everything that was allocated may be overwritten. */
  reuse(): void
}

/** Hands the same memory out again, in the same order. */
function recycledMemory(): Memory {
  const buffers: Uint8Array[] = []
  let next = 0
  return {
    allocate(bytes) {
      if (buffers[next]?.length !== bytes) buffers[next] = new Uint8Array(bytes)
      return buffers[next++]!
    },
    reuse() {
      next = 0
    },
  }
}
