import { tfjs } from '@tensor-assay/backend-tfjs'
import {
  type Backend,
  createProver,
  rows as rowSampler,
  type StoredTensor,
  type TensorHandle,
  type Verdict,
} from '@tensor-assay/core'
import { memoryTransport } from '@tensor-assay/core/testing'
import { createVerifier, interactive, memoryWeights } from '@tensor-assay/verifier'
import type * as tf from '@tensorflow/tfjs-core'
import { identityEpilogue } from '../../packages/core/src/numerics/epilogue.ts'
import { profiles } from '../../packages/core/src/numerics/profile.ts'
import { gaussian, preparedColumns } from '../../packages/core/test/numerics/families.ts'
import { type TestRandom, testRandom } from '../../packages/core/test/numerics/random.ts'
import type { Cheat } from './cheats.ts'
import { type Floats, type RealEngine, tfjsEngine } from './engines.ts'
import { type Claim, judgeSession, noPower, type Power } from './simulate.ts'
import { subjects } from './subjects.ts'

const { flipBit } = subjects.find(({ name }) => name === 'float32')!

/** One product with a public B, and what the prover multiplies instead. */
interface Run {
  readonly a: Floats
  readonly b: Floats
  readonly wrongA: Floats
  readonly wrongB: Floats
  /** B as its columns. */
  readonly columns: Float32Array
  result(c: Float32Array): { readonly claimed: Float32Array; readonly honest: Float32Array | undefined }
}

function makeRun(cheat: Cheat, m: number, k: number, n: number, random: TestRandom): Run {
  const { columns } = gaussian.make(random, k, n)
  const data = Float32Array.from({ length: m * k }, random.normal)
  const weights = cheat.weights?.({ k, n, columns }, random) ?? columns
  const change = (values: Float32Array) => (cheat.operand === undefined ? values : values.map(cheat.operand))
  const asRows = (values: Float32Array): Floats => ({
    rows: k,
    cols: n,
    data: Float32Array.from({ length: k * n }, (_, i) => values[(i % n) * k + Math.floor(i / n)]!),
  })
  return {
    a: { rows: m, cols: k, data },
    b: asRows(columns),
    wrongA: { rows: m, cols: k, data: change(data) },
    wrongB: asRows(change(weights)),
    columns,
    result(c) {
      if (cheat.result === undefined) return { claimed: c, honest: undefined }
      const claimed = new Float32Array(c.length)
      for (let i = 0; i < m; i++) {
        const other = Float64Array.from(c.subarray(((i + 1) % m) * n, ((i + 1) % m) * n + n))
        const row = Float64Array.from(c.subarray(i * n, (i + 1) * n))
        claimed.set(cheat.result(row, { random, other, flipBit }), i * n)
      }
      return { claimed, honest: cheat.sparse ? c : undefined }
    },
  }
}

/** Rows of a library's own C, judged as the default policy does it. */
export async function powerOfRows(
  engine: RealEngine,
  cheat: Cheat,
  [m, k, n]: readonly [number, number, number],
  sessions: number,
  seed: number,
): Promise<Power> {
  const random = testRandom(seed)
  const power = noPower()
  for (let session = 0; session < sessions; session++) {
    const run = makeRun(cheat, m, k, n, random)
    const { claimed, honest } = run.result(await engine.multiply(run.wrongA, run.wrongB))
    const b = preparedColumns(run.columns, k, n)
    const claims = Array.from({ length: m }, (_, i): Claim => {
      const a = Float64Array.from(run.a.data.subarray(i * k, (i + 1) * k))
      const c = Float64Array.from(claimed.subarray(i * n, (i + 1) * n))
      const opened = { a, b, c, profile: profiles.float32, epilogue: identityEpilogue }
      return { opened, honest: honest && Float64Array.from(honest.subarray(i * n, (i + 1) * n)) }
    })
    judgeSession(claims, random, power)
  }
  return power
}

let names = 0

/** Whole audits of TensorFlow.js under the default policy with 64 rows, over a transport in memory. */
export async function powerOfAudits(
  backend: 'cpu' | 'wasm',
  cheat: Cheat,
  [m, k, n]: readonly [number, number, number],
  sessions: number,
  seed: number,
): Promise<Power> {
  const library = await tfjsEngine(backend).use()
  const random = testRandom(seed)
  const power = noPower()
  for (let session = 0; session < sessions; session++) {
    const run = makeRun(cheat, m, k, n, random)
    const weights = memoryWeights([{ name: 'b', shape: [k, n], data: run.b.data }])
    const verifier = createVerifier({ weights, policy: interactive({ sampler: rowSampler({ atLeast: m - 1 }) }) })
    const transport = memoryTransport()
    let accepted: (verdict: Promise<Verdict>) => void
    const verdict = new Promise<Verdict>((resolve) => {
      accepted = resolve
    })
    const listener = await transport.listen(`memory:power-${names++}`, (channel) => accepted(verifier.accept(channel)))
    const channel = await transport.dial(listener.address)
    const prover = await createProver({ backend: lying(tfjs(library), run), channel })
    await prover.audit(() => {
      multiply(library, run.wrongA, run.wrongB)
    })
    await prover.close()
    const { status, findings, findingCount, statistics } = await verdict
    await listener.close()
    if (statistics.rows !== m) throw new Error(`expected ${m} rows to be checked, got ${statistics.rows}`)
    const isAggregate = findings.some(({ reason }) => reason === 'values-biased')
    power.rows += m
    power.rowsCaught += findingCount - (isAggregate ? 1 : 0)
    power.sessions++
    if (status === 'fail') power.sessionsCaught++
    else if (status !== 'pass') throw new Error(`expected pass or fail, got ${status}: ${findings[0]?.message}`)
  }
  return power
}

function multiply(library: typeof tf, a: Floats, b: Floats): void {
  library.tidy(() => {
    library.matMul(library.tensor2d(a.data, [a.rows, a.cols]), library.tensor2d(b.data, [b.rows, b.cols]))
  })
}

/** Says of a product with wrong operands that it was that of the right ones. */
function lying(backend: Backend, { a, b, result }: Run): Backend {
  return {
    ...backend,
    intercept: (observer) =>
      backend.intercept({
        opaque: (operation) => observer.opaque(operation),
        product(product) {
          const { bytes } = product.c.read(undefined, (length) => new Uint8Array(length)) as { bytes: Uint8Array }
          const { claimed } = result(new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4))
          observer.product({
            ...product,
            a: handle(product.a, a.data),
            b: { ...product.b, stored: () => storedOf(b.data) },
            c: handle(product.c, claimed),
          })
        },
      }),
  }
}

function handle({ rows, cols, dtype }: TensorHandle, data: Float32Array): TensorHandle {
  const source = bytesOf(data)
  return {
    key: data,
    rows,
    cols,
    dtype,
    read(wanted, allocate) {
      const indices = wanted ?? Uint32Array.from({ length: rows }, (_, i) => i)
      const stride = 4 * cols
      const bytes = allocate(indices.length * stride)
      for (const [i, r] of indices.entries()) bytes.set(source.subarray(r * stride, (r + 1) * stride), i * stride)
      return { rows: indices.length, cols, dtype, bytes }
    },
  }
}

function storedOf(data: Float32Array): StoredTensor {
  return { key: data, dtype: 'float32', byteLength: data.byteLength, bytes: bytesOf(data) }
}

function bytesOf(data: Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}
