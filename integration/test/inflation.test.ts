import { createProver, type Product, type ProfileName, type Verdict } from '@tensor-assay/core'
import { memoryTransport } from '@tensor-assay/core/testing'
import { createVerifier, interactive, memoryWeights } from '@tensor-assay/verifier'
import { describe, expect, test } from 'vitest'
import { type Cheat, multiply, noise, type Plain, plain, plainLibrary } from '../support/plain-backend.ts'

const [m, k, n] = [24, 64, 48]
const x = plain(m, k, noise(1))
/** What the last row of B adds to a sum the row before takes from it: v = (0, …, 1, −1) has v·B = 0. */
const b = withEqualLastRows(plain(k, n, noise(2)))

function withEqualLastRows(matrix: Plain): Plain {
  matrix.data.copyWithin((k - 1) * n, (k - 2) * n, (k - 1) * n)
  return matrix
}

/** A + M·v. */
function inflated(a: Plain, M: number): Plain {
  const data = a.data.slice()
  for (let i = 0; i < a.rows; i++) {
    data[i * k + k - 2]! += M
    data[i * k + k - 1]! -= M
  }
  return { ...a, data }
}

let names = 0

/** An audit of A·B under the default policy, where a cheat may replace what is committed to. */
async function audit(a: Plain, cheat?: Cheat, profile: ProfileName = 'float32'): Promise<Verdict> {
  const verifier = createVerifier({
    weights: memoryWeights([{ name: 'b', shape: [k, n], data: b.data }]),
    policy: interactive({ profiles: [profile] }),
  })
  const transport = memoryTransport()
  let verdict: Promise<Verdict> | undefined
  const listener = await transport.listen(`memory:inflation-${names++}`, (channel) => {
    verdict = verifier.accept(channel)
  })
  const library = plainLibrary(cheat)
  const { backend } = library
  const declaring: typeof backend = {
    ...backend,
    intercept: (observer) =>
      backend.intercept({
        opaque: (operation) => observer.opaque(operation),
        product: (product: Product) => observer.product({ ...product, profile }),
      }),
  }
  const channel = await transport.dial(listener.address)
  const prover = await createProver({ backend: declaring, channel })
  await prover.audit(() => library.matMul(a, b))
  await prover.close()
  await listener.close()
  return verdict!
}

const altered = (c: Plain, change: (value: number, i: number) => number): Plain => ({ ...c, data: c.data.map(change) })
const rms = (c: Plain) => Math.sqrt(c.data.reduce((sum, value) => sum + value * value, 0) / c.data.length)
const magnitudes = [1, 10, 100, 1e3, 1e4, 1e5, 1e6]

/** Wrong results, of which an inflated tolerance is to hide the more, the larger M is. */
const lies: readonly (readonly [name: string, (c: Plain, a: Plain) => Plain])[] = [
  ['C of another input', (c) => multiply(plain(c.rows, k, noise(5)), b)],
  ['zeros', (c) => altered(c, () => 0)],
  ['an error of 1%', (c) => altered(c, (value, i) => value + (i % 2 === 0 ? 1 : -1) * 0.01 * rms(c))],
  ['one wrong entry in each row', (c) => altered(c, (value, i) => (i % n === 7 ? value + rms(c) : value))],
]

describe('a tolerance that is inflated through A', () => {
  test.each(lies)('never makes %s pass', async (_, lie) => {
    for (const M of magnitudes) {
      const a = inflated(x, M)
      const { status, findings } = await audit(x, ({ c }) => ({ a, c: lie(c, a) }))
      expect(['fail', 'inconclusive'], `M = ${M}`).toContain(status)
      const reasons = findings.map(({ reason }) => reason)
      expect(
        reasons.every((reason) =>
          ['value-out-of-tolerance', 'values-biased', 'tolerance-guard', 'nothing-sampled'].includes(reason),
        ),
      ).toBe(true)
    }
  })

  test('is inconclusive and no failure for an honest product of such operands', async () => {
    const passed: number[] = []
    for (const M of magnitudes) {
      const a = inflated(x, M)
      const { status } = await audit(a)
      // Rounding of A + M·v and of the sums is honest: it may be inconclusive and never a failure.
      expect(['pass', 'inconclusive'], `M = ${M}`).toContain(status)
      if (status === 'pass') passed.push(M)
    }
    expect(passed).toContain(1)
    expect(passed).not.toContain(1e6)
  })

  test('is noticed in one row among honest ones', async () => {
    for (const M of magnitudes) {
      const all = inflated(x, M)
      const a = { ...x, data: x.data.slice() }
      // The last row is always drawn.
      a.data.set(all.data.subarray((m - 1) * k), (m - 1) * k)
      const cheat: Cheat = ({ c }) => ({
        a,
        c: altered(c, (value, i) => (i >= (m - 1) * n ? value + (i % 2 === 0 ? 1 : -1) * 0.01 * rms(c) : value)),
      })
      const { status } = await audit(x, cheat)
      expect(['fail', 'inconclusive'], `M = ${M}`).toContain(status)
    }
  })

  test('hides no error of 5% under a profile with a larger tolerance', async () => {
    for (const M of magnitudes) {
      const a = inflated(x, M)
      const cheat: Cheat = ({ c }) => ({
        a,
        c: altered(c, (value, i) => value + (i % 2 === 0 ? 1 : -1) * 0.05 * rms(c)),
      })
      const { status } = await audit(x, cheat, 'tf32')
      expect(['fail', 'inconclusive'], `M = ${M}`).toContain(status)
    }
  })
})
