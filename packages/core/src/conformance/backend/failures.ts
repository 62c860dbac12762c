import { assert, assertEqual, ConformanceError } from '../assert.ts'
import type { BackendCase, BackendHarness } from '../backend.ts'
import { numbers, oneProduct, type Program } from './program.ts'
import { checkWatched } from './statement.ts'
import { only, watch, watcher } from './watch.ts'

/** Operands that cannot be multiplied. */
const failing: Program = {
  inputs: [numbers([5, 7], 1), numbers([6, 3], 2)],
  operations: [{ kind: 'matMul', a: 0, b: 1 }],
}

async function failureOf(harness: BackendHarness): Promise<string> {
  const outcome = await (async () => harness.run(failing))().then(
    () => undefined,
    (error: unknown) => error,
  )
  if (outcome === undefined) throw new ConformanceError('the library multiplies [5, 7] by [6, 3]')
  return String(outcome)
}

/** Products that fail, and operations that are no products. */
export const failures: readonly BackendCase[] = [
  {
    name: 'a product that fails throws what the library throws, and is not reported',
    async run(harness) {
      const alone = await failureOf(harness)
      const watching = watcher()
      const interception = harness.backend.intercept(watching.observer)
      try {
        for (let i = 0; i < 3; i++) assertEqual(await failureOf(harness), alone, 'what a failing product throws')
      } finally {
        interception.restore()
      }
      const { opaque } = await watching.taken()
      assertEqual(watching.products + opaque.length, 0, 'operations reported')
    },
  },
  {
    name: 'the products after one that fails are reported as before',
    async run(harness) {
      const watching = watcher()
      const interception = harness.backend.intercept(watching.observer)
      try {
        await failureOf(harness)
        await harness.run(oneProduct())
        assertEqual(watching.products, 1, 'products reported after a failure within the same interception')
      } finally {
        interception.restore()
      }
      checkWatched(harness, oneProduct(), await watch(harness, oneProduct()))
    },
  },
  {
    name: 'an operation that is no product is reported as opaque, once, with a reason',
    requires: ['runOpaque'],
    async run(harness) {
      assert(harness.runOpaque !== undefined, 'a harness that declares runOpaque supplies runOpaque()')
      await harness.runOpaque()
      const watching = watcher()
      const interception = harness.backend.intercept(watching.observer)
      try {
        await harness.runOpaque()
      } finally {
        interception.restore()
      }
      const { seen, opaque } = await watching.taken()
      assertEqual(`${seen.length},${opaque.length}`, '0,1', 'products and opaque operations reported')
      const [{ operation, reason } = { operation: '', reason: '' }] = opaque
      assert(operation !== '' && reason !== '', 'an opaque operation needs a name and a reason')
    },
  },
  {
    name: 'an observer that throws of an opaque operation harms nobody',
    requires: ['runOpaque'],
    async run(harness) {
      assert(harness.runOpaque !== undefined, 'a harness that declares runOpaque supplies runOpaque()')
      const behind = watcher()
      const bad = harness.backend.intercept({
        product: () => undefined,
        opaque() {
          throw new Error('an observer failed')
        },
      })
      const good = harness.backend.intercept(behind.observer)
      try {
        await harness.runOpaque()
        assertEqual((await behind.taken()).opaque.length, 1, 'opaque operations reported to the other observer')
      } finally {
        bad.restore()
        good.restore()
      }
      only(await watch(harness, oneProduct()))
    },
  },
]
