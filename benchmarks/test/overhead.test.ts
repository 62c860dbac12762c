import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { emptyVerdict, type Verdict } from '@tensor-assay/core'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { startAuditor } from '../src/auditor.ts'
import { hashing } from '../src/controls.ts'
import { compare, seededRandom } from '../src/measure.ts'
import { openSubject } from '../src/onnx.ts'
import { encoder } from '../src/onnx-models.ts'
import { controlProblem, measureOverhead, verdictProblem } from '../src/overhead.ts'
import { measureParts } from '../src/parts.ts'
import type { Subject } from '../src/subject.ts'
import { subjectOf } from '../src/tfjs.ts'
import { dense, type Model, product, transformer } from '../src/tfjs-models.ts'

/** The verifier's process reads the packages' sources, as the tests do. */
const execArgv = ['--conditions=@tensor-assay/source', '--import=tsx']

const small: readonly Model[] = [
  product(20, 16, 12),
  dense({ depth: 2, width: 16, batch: 8 }),
  transformer({ depth: 1, width: 16, heads: 2, length: 8 }),
]

beforeAll(async () => {
  setWasmPaths(`${dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))}/`)
  await tf.setBackend('wasm')
})

describe.each(small.map((model) => [model.title, model] as const))('%s', (_, model) => {
  const effort = { rounds: 2, calls: 1, batch: 2 }

  async function measure(subject: Subject) {
    await using auditor = await startAuditor(subject.weights, subject.acceptActivations, execArgv)
    const controls = [hashing(subject.backend)]
    const result = await measureOverhead({ subject, auditor, effort, controls, random: seededRandom(1) })
    return { result, parts: await measureParts(subject, auditor.addresses.sink, 1) }
  }

  test('is audited in both modes, and every part of it is timed', async () => {
    const before = tf.memory().numTensors
    const { result, parts } = await measure(subjectOf(model))
    expect(result.arms.map(({ name, role }) => [name, role])).toEqual([
      ['plain', 'baseline'],
      ['plain again', 'null'],
      ['spot', 'mode'],
      ['spot, 1 step in 16', 'mode'],
      ['interactive', 'mode'],
      ['hash at once', 'control'],
    ])
    const [spot, , interactive] = result.arms.flatMap(({ session }) => session ?? [])
    // Of one row each, some are all behind a rectifier and show no work.
    expect(spot!.rowsPerRun).toBeGreaterThanOrEqual(result.productsPerRun / 4)
    expect(interactive!.rowsPerRun).toBeGreaterThanOrEqual(2 * result.productsPerRun)
    expect(interactive!.bytesPerRun).toBeGreaterThan(spot!.bytesPerRun)
    expect(Object.values(parts).every((ms) => ms > 0)).toBe(true)
    // The weights stay, nothing else.
    expect(tf.memory().numTensors - before).toBeLessThanOrEqual(model.weights.length)
  })

  test('is not measured where the verifier holds other weights', async () => {
    const subject = subjectOf(model)
    const others = subject.weights.map((weight) => ({ ...weight, seed: weight.seed + 1 }))
    await expect(measure({ ...subject, weights: others, acceptActivations: false })).rejects.toThrow(/verdict is fail/)
  })
})

test('a model of ONNX Runtime is audited in every way, and its plain runs are those of a session of its own', async () => {
  const model = encoder({ layers: 1, width: 16, heads: 2, length: 8 })
  await using opened = await openSubject(model)
  await using auditor = await startAuditor(model.weights, true, execArgv)
  const { subject, runningTwice } = opened
  const effort = { rounds: 2, calls: 1, batch: 1 }
  const options = {
    subject,
    auditor,
    effort,
    controls: [runningTwice, hashing(subject.backend)],
    random: seededRandom(1),
  }
  const { arms, productsPerRun } = await measureOverhead(options)
  expect(productsPerRun).toBe(8)
  expect(arms.map(({ name }) => name)).toContain('run twice')
  const parts = await measureParts(subject, auditor.addresses.sink, 1)
  expect(Object.values(parts).every((ms) => ms > 0)).toBe(true)
})

test.each([
  ['multiplies in a way that is not audited', 'partly', /1 products, not audited: Einsum: cannot be stated/],
  ['multiplies nothing', 'idle', /0 products/],
] as const)('a subject that %s is refused', async (_name, kind, message) => {
  const subject = subjectOf(small[0]!)
  const partly: Subject = {
    ...subject,
    backend: {
      ...subject.backend,
      intercept(observer) {
        observer.opaque({ operation: 'Einsum', reason: 'cannot be stated' })
        return subject.backend.intercept(observer)
      },
    },
  }
  const idle: Subject = { ...subject, prepare: () => ({ run() {}, dispose() {} }) }
  const auditor = {
    addresses: { spot: '', 'spot, 1 step in 16': '', interactive: '', sink: '' },
    checked: async () => {},
  }
  const measured = measureOverhead({
    subject: kind === 'partly' ? partly : idle,
    auditor: { ...auditor, [Symbol.asyncDispose]: async () => {} },
    effort: { rounds: 1, calls: 1, batch: 1 },
    controls: [],
    random: Math.random,
  })
  await expect(measured).rejects.toThrow(message)
})

describe('verdictProblem', () => {
  const passed: Verdict = {
    ...emptyVerdict([{ reason: 'internal', message: '' }]),
    status: 'pass',
    findings: [],
  }
  const checked: Verdict = {
    ...passed,
    coverage: { ...passed.coverage, operations: 3, audited: 3 },
    statistics: { ...passed.statistics, rows: 3 },
  }

  test('lets a session pass in which every product was sampled', () => {
    expect(verdictProblem(checked, 3)).toBeUndefined()
    const guarded = [{ reason: 'tolerance-guard', message: 'row 2' }] as const
    expect(verdictProblem({ ...checked, status: 'inconclusive', findings: [...guarded] }, 3)).toBeUndefined()
  })

  test.each([
    ['did not pass', { ...checked, status: 'inconclusive' }, /inconclusive/],
    ['passed without a row', { ...checked, statistics: { ...checked.statistics, rows: 0 } }, /not one row/],
    ['heard of too few products', { ...checked, coverage: { ...checked.coverage, operations: 2 } }, /2 were declared/],
    ['audited too few products', { ...checked, coverage: { ...checked.coverage, audited: 2 } }, /2 checked/],
  ] as const)('refuses a session that %s', (_name, verdict, message) => {
    expect(verdictProblem(verdict, 3)).toMatch(message)
  })
})

describe('controlProblem', () => {
  const baseline = [100, 101, 99, 100, 102, 98]
  const slower = (factor: number) =>
    compare(
      baseline,
      baseline.map((value, i) => value * (factor + 0.001 * i)),
    )
  const control = { name: 'twice', atLeast: 0.5, of: 'plain' as const, install: () => () => {} }

  test('accepts a control that is slow enough', () => {
    expect(controlProblem(control, slower(2))).toBeUndefined()
  })

  test('refuses one that is not, and one that only may be', () => {
    expect(controlProblem(control, slower(1.4))).toMatch(/'twice' must cost more than 50%/)
    expect(controlProblem(control, slower(0.9))).toBeDefined()
    expect(controlProblem(control, slower(1.499))).toBeDefined()
  })
})
