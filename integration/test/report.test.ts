import {
  type Channel,
  createIdentity,
  createProver,
  createReceiptProver,
  type ProverOptions,
  recordManifest,
  rows,
  type Verdict,
} from '@tensor-assay/core'
import { memoryTransport } from '@tensor-assay/core/testing'
import {
  createVerifier,
  describeVerdict,
  interactive,
  memoryWeights,
  receipt,
  spot,
  type VerifierOptions,
  verifyReceipt,
} from '@tensor-assay/verifier'
import { beforeAll, describe, expect, test } from 'vitest'
import { bytesOf, type Cheat, noise, plain, plainLibrary } from '../support/plain-backend.ts'

const x = plain(40, 96, noise(1))
const w1 = plain(96, 64, noise(2))
const w2 = plain(64, 32, noise(3))
const store = memoryWeights([
  { name: 'first', shape: [96, 64], data: w1.data },
  { name: 'second', shape: [64, 32], data: w2.data },
])
const [alice, auditor, mallory] = [createIdentity(), createIdentity(), createIdentity()]
const sampler = rows({ atLeast: 8 })

interface Session {
  readonly cheat?: Cheat
  readonly prover?: Partial<ProverOptions>
  readonly verifier?: Partial<VerifierOptions>
  readonly bound?: boolean
  readonly wrap?: (channel: Channel) => Channel
  /** Changes the backend that the prover is given. */
  readonly operation?: string
}

let names = 0

async function audit({ cheat, prover, verifier, bound = false, operation, wrap }: Session = {}): Promise<Verdict> {
  const transport = memoryTransport()
  const side = createVerifier({ weights: store, policy: interactive(), ...verifier })
  const input = { rows: x.rows, cols: x.cols, dtype: 'float32', bytes: bytesOf(x.data) } as const
  let verdict: Promise<Verdict> | undefined
  const listener = await transport.listen(`memory:report-${names++}`, (channel) => {
    verdict = side.accept(channel, bound ? { inputs: [input] } : {})
  })
  const { backend, matMul } = plainLibrary(cheat)
  const renamed = {
    ...backend,
    intercept: (observer: Parameters<typeof backend.intercept>[0]) =>
      backend.intercept({
        opaque: (opaque) => observer.opaque(opaque),
        product: (product) => observer.product({ ...product, operation: operation ?? product.operation }),
      }),
  }
  try {
    const channel = await transport.dial(listener.address)
    const opened = await createProver({ backend: renamed, channel: wrap?.(channel) ?? channel, ...prover })
    await opened.audit(() => matMul(matMul(x, w1), w2))
    await opened.close()
  } catch {
    // A prover that is refused; the verifier's verdict says why.
  }
  await listener.close()
  return verdict!
}

async function writeReceipt(): Promise<Uint8Array> {
  const { backend, matMul } = plainLibrary()
  const prover = await createReceiptProver({ backend, weights: store, sampler, iterations: 1000 })
  await prover.audit(() => matMul(matMul(x, w1), w2))
  return prover.finish()
}

const scaled: Cheat = ({ c }) => ({ c: { ...c, data: c.data.map((value) => 1.01 * value) } })
/** On one line, as a search through it needs. */
const words = (verdict: Verdict, options = {}) => describeVerdict(verdict, options).replace(/\s+/g, ' ')

let verdicts: Record<'honest' | 'spot' | 'receipt' | 'wrong' | 'nothing' | 'lost', Verdict>
beforeAll(async () => {
  verdicts = {
    honest: await audit(),
    spot: await audit({ verifier: { policy: spot() } }),
    receipt: await verifyReceipt(await writeReceipt(), {
      weights: store,
      policy: receipt({ sampler, iterations: 1000 }),
    }),
    wrong: await audit({ cheat: scaled }),
    nothing: await verifyReceipt(new Uint8Array(0), { weights: store }),
    lost: await lostVerdict(),
  }
})

/** What a prover is left with that lost its verifier. */
async function lostVerdict(): Promise<Verdict> {
  const transport = memoryTransport()
  const listener = await transport.listen('memory:report-lost', (channel) => {
    void createVerifier({ weights: store }).accept(channel)
  })
  const channel = await transport.dial(listener.address)
  const prover = await createProver({ backend: plainLibrary().backend, channel })
  channel.abort(new Error('the network is gone'))
  const verdict = await prover.close()
  await listener.close()
  return verdict
}

describe('no text claims more than its verdict', () => {
  test('a pass says what was checked, what was not, and that it proves nothing', () => {
    const text = words(verdicts.honest)
    expect(text).toMatch(/^PASS Everything that was declared was checked as the policy asks, and nothing was wrong\./)
    expect(text).toContain('holds against a prover that adapts to everything it saw before it committed')
    expect(text).toContain('no proof that the run is right')
    expect(text).toContain('2 audited of 2 declared')
    expect(text).toContain('coverage unknown: no manifest')
    expect(text).toContain('input not bound')
    expect(text).toContain('output not bound')
    expect(text).toContain('signed by nobody')
    expect(text).not.toContain('Why')
  })

  test('only a session with commitments is said to hold against somebody who adapts', () => {
    for (const verdict of [verdicts.spot, verdicts.receipt]) expect(words(verdict)).not.toContain('adapts')
    expect(words(verdicts.spot)).toContain(
      'finds accidents. A prover that means to cheat knows which rows to get right',
    )
    expect(words(verdicts.spot)).toContain('if errors are accidents')
    expect(words(verdicts.spot)).toContain('nothing is committed to')
    expect(words(verdicts.receipt)).toContain('tries again until the challenges miss what is wrong')
    expect(words(verdicts.receipt)).toContain('if it is the first attempt')
  })

  test('only a receipt says what forging it takes', () => {
    const half = verdicts.receipt.detection.byFraction.find(({ fraction }) => fraction === 0.5)!
    expect(words(verdicts.receipt)).toContain(`2^${Math.floor(half.receiptBits!)}`)
    expect(words(verdicts.receipt)).toContain('hashes until no challenge shows what is wrong')
    for (const verdict of [verdicts.honest, verdicts.spot]) expect(words(verdict)).not.toContain('forge')
  })

  test('wrong rows are not said to be clean', () => {
    expect(words(verdicts.honest)).toContain(
      '8 clean rows drawn at random: at most 31.3% of the rows of the audited operations',
    )
    expect(words(verdicts.wrong)).not.toContain('clean')
    expect(words(verdicts.wrong)).not.toContain('confidence')
  })

  test('nothing is claimed where no verdict arrived, and no odds are stated where nothing was audited', () => {
    const text = words(verdicts.lost)
    expect(text).toMatch(/^INCOMPLETE The audit did not get to its end/)
    expect(text).toContain('claim nothing: no verdict of a verifier arrived')
    for (const absent of ['Checked', 'Probability', 'signed']) expect(text).not.toContain(absent)
    expect(words(verdicts.nothing)).toContain('claim nothing: not one product was audited')
    expect(words(verdicts.nothing)).toContain('0 audited of 0 declared')
    expect(words(verdicts.nothing)).not.toContain('Probability')
  })

  test('the probabilities are those of the verdict, rounded down', () => {
    const { detection } = verdicts.honest
    const shown = describeVerdict(verdicts.honest)
      .split('\n')
      .flatMap((line) => {
        const [, label, one, every] =
          /^ {2}(one row|\d+% of the rows|all rows) +([\d.]+)%(?: +([\d.]+)%)?$/.exec(line) ?? []
        return label === undefined ? [] : [[label, Number(one), every && Number(every)] as const]
      })
    expect(shown.map(([label]) => label)).toEqual([
      'one row',
      '1% of the rows',
      '10% of the rows',
      '50% of the rows',
      'all rows',
    ])
    const stated = [
      [detection.oneRow, undefined],
      ...detection.byFraction.map((odds) => [odds.inOneOperation, odds.inEveryOperation]),
    ]
    for (const [i, [, ...percentages]] of shown.entries()) {
      for (const [j, percentage] of percentages.entries()) {
        const truth = stated[i]![j]
        if (truth === undefined) expect(percentage).toBe(undefined)
        else {
          expect(percentage).toBeLessThanOrEqual(100 * truth)
          expect(percentage).toBeGreaterThan(100 * truth - 0.11)
        }
      }
    }
  })
})

test('a failure says in plain words which value is wrong', () => {
  const { evidence, sequence } = verdicts.wrong.findings[0]!
  const text = words(verdicts.wrong)
  expect(text).toMatch(/^FAIL A value, a commitment or a claim of the prover is wrong\./)
  expect(text).toContain(`value-out-of-tolerance, operation ${sequence} (matMul)`)
  const pattern = new RegExp(
    `Row ${evidence!.row}, column ${evidence!.column} of C: claimed (\\S+), recomputed (\\S+)\\. ` +
      'They differ by (\\S+); rounding explains at most (\\S+)\\.',
  )
  const [, claimed, recomputed, difference, bound] = pattern.exec(text)!.map(Number)
  expect(claimed! / Number(evidence!.claimed)).toBeCloseTo(1, 3)
  expect(recomputed! / Number(evidence!.recomputed)).toBeCloseTo(1, 3)
  expect(difference! / Math.abs(claimed! - recomputed!)).toBeCloseTo(1, 1)
  expect(bound! / Number(evidence!.bound)).toBeCloseTo(1, 1)
})

test('findings are counted where they are not spelled out', () => {
  const text = words(verdicts.wrong, { findings: 3 })
  expect(text).toContain('Why: 10 findings, the worst first')
  expect(text.match(/value-out-of-tolerance/g)).toHaveLength(3)
  expect(text).toContain('and 7 more')
})

test('values that are no numbers', async () => {
  const cheat: Cheat = ({ c }) => ({ c: { ...c, data: new Float32Array(c.data.length).fill(Number.NaN) } })
  expect(words(await audit({ cheat }))).toMatch(/Row \d+, column \d+ of C: claimed NaN, recomputed -?[\d.]+\. /)
})

test('a commitment that does not fit is named', async () => {
  const opening = 6
  const wrap = (channel: Channel): Channel => ({
    peer: channel.peer,
    maxMessageBytes: channel.maxMessageBytes,
    [Symbol.asyncIterator]: () => channel[Symbol.asyncIterator](),
    close: (options) => channel.close(options),
    abort: (error) => channel.abort(error),
    send(message) {
      const bytes = Uint8Array.from(message.flatMap((part) => [...part]))
      if (bytes[5] === opening) bytes[bytes.length - 1]! ^= 1
      return channel.send([bytes])
    },
  })
  const verdict = await audit({ wrap })
  const root = verdict.findings.find(({ reason }) => reason === 'commitment-mismatch')!.evidence!.root!
  expect(words(verdict)).toContain(`not those that were committed to: commitment ${root.slice(0, 16)}…`)
})

test('an input that is another is said, with the row that differs', async () => {
  const a = plain(40, 96, noise(9))
  const verdict = await audit({ cheat: (_, sequence) => (sequence === 0 ? { a } : {}), bound: true })
  expect(words(verdict)).toContain('A is not the input of step 0: row')
})

test('what a manifest and a bound input add is said', async () => {
  const { backend, matMul } = plainLibrary()
  const manifest = await recordManifest({ backend, weights: store, runs: [() => matMul(matMul(x, w1), w2)] })
  const text = words(await audit({ verifier: { manifest }, bound: true }))
  expect(text).toContain('manifest 1 complete step, 1 link as it says')
  expect(text).toContain('input bound in 1 step')
  for (const absent of ['no manifest', 'input not bound']) expect(text).not.toContain(absent)
})

test('what was not drawn, left out or guarded is said', async () => {
  const text = words(await audit({ prover: { maxRetainedBytes: 20_000 } }))
  expect(text).toMatch(/^INCOMPLETE/)
  expect(text).toMatch(/skipped \d operations? that the prover left out of the audit/)
  const refused = words(await audit({ verifier: { weights: memoryWeights([]) } }))
  expect(refused).toContain('products 2 not drawn, refused or not opened')
  expect(refused).toContain('activations 2 products whose B is no known weight')
})

describe('who signed', () => {
  test('is named', async () => {
    const text = words(await audit({ prover: { identity: alice }, verifier: { identity: auditor } }))
    expect(text).toContain(`signed by the prover ${alice.fingerprint}`)
    expect(text).toContain(`signed by the verifier ${auditor.fingerprint}`)
  })

  test('is only said to be named where a signature is in doubt', async () => {
    const honest = await audit({ prover: { identity: alice } })
    const doubtful = words({
      ...honest,
      status: 'fail',
      findings: [{ reason: 'peer-untrusted', message: 'the prover did not sign what it said' }],
      findingCount: 1,
    })
    expect(doubtful).toContain(`names the prover ${alice.fingerprint}`)
    expect(doubtful).not.toContain('signed by')
  })

  test('is nobody who was refused', async () => {
    const text = words(await audit({ prover: { identity: mallory }, verifier: { provers: [alice.fingerprint] } }))
    expect(text).toMatch(/^FAIL.*peer-untrusted/)
    expect(text).not.toContain('signed by the prover')
  })
})

describe('the form', () => {
  test.each([60, 77, 80, 200])('no line is longer than %i', (width) => {
    for (const verdict of Object.values(verdicts)) {
      for (const detail of ['full', 'brief'] as const) {
        const lines = describeVerdict(verdict, { width, detail }).split('\n')
        expect(lines.filter((line) => line.length > width || line !== line.trimEnd())).toEqual([])
      }
    }
  })

  test('colours add codes and nothing else', () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
    const codes = /\u001b\[[\d;]+m/g
    for (const verdict of Object.values(verdicts)) {
      const plainly = describeVerdict(verdict)
      expect(plainly).not.toMatch(codes)
      const colourful = describeVerdict(verdict, { color: true })
      expect(colourful).toMatch(codes)
      expect(colourful.replace(codes, '')).toBe(plainly)
    }
  })

  test('a prover cannot write to the terminal of whoever reads the verdict', async () => {
    const text = describeVerdict(await audit({ cheat: scaled, operation: 'mat\u001b[2J\nPASS' }))
    expect(text).not.toContain('\u001b')
    expect(text).not.toMatch(/^PASS/m)
    expect(text).toContain('(mat\\u{1b}[2J PASS)')
  })

  test('a brief text keeps the status, the worst finding and one figure', () => {
    const options = { detail: 'brief', width: 200 } as const
    const half = verdicts.honest.detection.byFraction.find(({ fraction }) => fraction === 0.5)!
    const percentage = Math.floor(1000 * half.inOneOperation) / 10
    expect(describeVerdict(verdicts.honest, options)).toBe(
      'PASS  10 rows of 2 products checked\n' +
        `  if half of the rows of a product were wrong, one would be opened with probability ${percentage}%`,
    )
    expect(describeVerdict(verdicts.spot, options)).toContain('were wrong by accident, one would be opened')
    expect(describeVerdict(verdicts.receipt, options)).toContain('hashes to forge')
    expect(describeVerdict(verdicts.wrong, options)).toMatch(
      /^FAIL {2}value-out-of-tolerance, operation 0 \(matMul\), and 9 more\n {2}Row .*\n {2}10 rows of 2 products checked$/,
    )
    expect(describeVerdict(verdicts.nothing, options)).toMatch(/^FAIL {2}protocol-violation/)
  })

  test('a width that is none is a slip', () => {
    expect(() => describeVerdict(verdicts.honest, { width: Number.NaN })).toThrow(RangeError)
    expect(() => describeVerdict(verdicts.honest, { findings: 0 })).toThrow(RangeError)
  })
})
