import type { Interception } from '../../backend.ts'
import type { Product } from '../../product.ts'
import { assertEqual, ConformanceError } from '../assert.ts'
import type { BackendCase, BackendHarness } from '../backend.ts'
import { layers, oneProduct } from './program.ts'
import { dirtyMemory, watcher } from './watch.ts'

/** The results of a program, as text. What an observer does must not make it fail. */
async function run(harness: BackendHarness, program = oneProduct()): Promise<string> {
  const results = await (async () => harness.run(program))().catch((error: unknown) => {
    throw new ConformanceError(`the run fails beside an observer that misbehaves: ${String(error)}`)
  })
  return results.map(({ data }) => data.join()).join()
}

/** Runs one product beside an observer that misbehaves, and checks that nobody else notices. */
async function besideObserver(
  harness: BackendHarness,
  product: (product: Product) => void,
  between?: () => Promise<void>,
): Promise<void> {
  const alone = await run(harness)
  const behind = watcher()
  const [bad, good] = [
    harness.backend.intercept({ product, opaque: () => undefined }),
    harness.backend.intercept(behind.observer),
  ]
  try {
    assertEqual(await run(harness), alone, 'the result beside an observer that misbehaves')
    await between?.()
    assertEqual(behind.products, 1, 'products reported to the other observer')
  } finally {
    bad.restore()
    good.restore()
  }
  const after = watcher()
  const interception = harness.backend.intercept(after.observer)
  try {
    assertEqual(await run(harness), alone, 'the result afterwards')
    assertEqual(after.products, 1, 'products reported afterwards')
  } finally {
    interception.restore()
  }
}

/** What observers may do to themselves and to nobody else. */
export const observers: readonly BackendCase[] = [
  {
    name: 'what an observer throws reaches neither the caller nor the other observers',
    run: (harness) =>
      besideObserver(harness, () => {
        throw new Error('an observer failed')
      }),
  },
  {
    name: 'an observer whose memory runs out harms nobody',
    run: (harness) =>
      besideObserver(harness, ({ a, b, c }) => {
        const allocate = () => {
          throw new RangeError('out of memory')
        }
        for (const handle of [a, b, c]) {
          const matrix = handle.read(undefined, allocate)
          if (matrix instanceof Promise) matrix.catch(() => undefined)
        }
      }),
  },
  {
    name: 'a product that an observer runs harms nobody',
    async run(harness) {
      let runs = 0
      const own: Promise<unknown>[] = []
      await besideObserver(
        harness,
        () => {
          // Once, in case its own products are reported to it. A library may refuse to run where it is being observed.
          if (runs++ === 0) own.push(run(harness, layers(1, 9)).catch(() => undefined))
        },
        async () => void (await Promise.all(own)),
      )
    },
  },
  {
    name: 'an observer that ends its own interception is told no more',
    async run(harness) {
      let reported = 0
      const behind = watcher()
      const alone = await run(harness, layers(3))
      const own: Interception = harness.backend.intercept({
        product() {
          reported++
          own.restore()
        },
        opaque: () => undefined,
      })
      const other = harness.backend.intercept(behind.observer)
      try {
        assertEqual(await run(harness, layers(3)), alone, 'results')
        assertEqual(reported, 1, 'products reported to the observer that ended its interception')
        assertEqual(behind.products, 3, 'products reported to the other observer')
      } finally {
        own.restore()
        other.restore()
      }
    },
  },
  {
    name: 'an interception that an observer ends is over at once',
    async run(harness) {
      const behind = watcher()
      const second: Interception[] = []
      const first = harness.backend.intercept({
        product: () => second[0]!.restore(),
        opaque: () => undefined,
      })
      second.push(harness.backend.intercept(behind.observer))
      try {
        await harness.run(oneProduct())
        const reported = behind.products
        await harness.run(oneProduct())
        assertEqual(behind.products, reported, 'products reported to an observer whose interception another one ended')
        assertEqual(second[0]!.active, false, 'active')
      } finally {
        first.restore()
        second[0]!.restore()
      }
    },
  },
  {
    name: 'an interception that an observer starts is told of the products after',
    async run(harness) {
      const inner = watcher()
      let started: Interception | undefined
      const outer = harness.backend.intercept({
        product({ c }) {
          c.read(undefined, dirtyMemory)
          started ??= harness.backend.intercept(inner.observer)
        },
        opaque: () => undefined,
      })
      try {
        await harness.run(oneProduct())
        const before = inner.products
        await harness.run(layers(2))
        assertEqual(inner.products - before, 2, 'products reported to an observer that began within another')
      } finally {
        outer.restore()
        started?.restore()
      }
    },
  },
]
