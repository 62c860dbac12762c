import type { Interception } from '../../backend.ts'
import { assert, assertEqual } from '../assert.ts'
import type { BackendCase, BackendHarness } from '../backend.ts'
import { layers, oneProduct } from './program.ts'
import { watcher } from './watch.ts'

interface Watching extends Interception {
  readonly products: number
}

function start({ backend }: BackendHarness): Watching {
  const watching = watcher()
  const interception = backend.intercept(watching.observer)
  assertEqual(interception.active, true, 'active, of an interception that was just started')
  return {
    get products() {
      return watching.products
    },
    get active() {
      return interception.active
    },
    restore: () => interception.restore(),
    [Symbol.dispose]: () => interception[Symbol.dispose](),
  }
}

/** Runs one product and says how many were reported to each. */
async function told(harness: BackendHarness, ...watchings: Watching[]): Promise<string> {
  const before = watchings.map(({ products }) => products)
  await harness.run(oneProduct())
  return watchings.map(({ products }, i) => products - before[i]!).join()
}

/** Whatever a case left open is ended, so that the next begins with the library as it is. */
function withInterceptions(run: (harness: BackendHarness, open: () => Watching) => Promise<void>): BackendCase['run'] {
  return async (harness) => {
    const opened: Watching[] = []
    try {
      await run(harness, () => {
        const watching = start(harness)
        opened.push(watching)
        return watching
      })
    } finally {
      for (const watching of opened) watching.restore()
    }
  }
}

/** How interceptions begin and end. */
export const lifecycle: readonly BackendCase[] = [
  {
    name: 'nothing is reported outside an interception',
    run: withInterceptions(async (harness, open) => {
      await harness.run(oneProduct())
      const first = open()
      assertEqual(first.products, 0, 'products reported of a run before')
      assertEqual(await told(harness, first), '1', 'products reported within')
      first.restore()
      assertEqual(first.active, false, 'active, after restore')
      const second = open()
      assertEqual(await told(harness, first, second), '0,1', 'products reported to a restored and to a new observer')
    }),
  },
  {
    name: 'interceptions nest, and each observer is told of each product once',
    run: withInterceptions(async (harness, open) => {
      const first = open()
      assertEqual(await told(harness, first), '1', 'products reported to one')
      const second = open()
      assertEqual(await told(harness, first, second), '1,1', 'products reported to two')
      const third = open()
      assertEqual(await told(harness, first, second, third), '1,1,1', 'products reported to three')
    }),
  },
  ...[
    [0, 1, 2],
    [2, 1, 0],
    [1, 2, 0],
    [1, 0, 2],
  ].map(
    (order): BackendCase => ({
      name: `interceptions end in any order: ${order.map((i) => i + 1).join(', ')}`,
      run: withInterceptions(async (harness, open) => {
        const watchings = [open(), open(), open()]
        const expected = [1, 1, 1]
        for (const ended of order) {
          watchings[ended]!.restore()
          expected[ended] = 0
          assertEqual(await told(harness, ...watchings), expected.join(), `products reported after ${ended + 1} ended`)
          assertEqual(watchings.map(({ active }) => Number(active)).join(), expected.join(), 'active')
        }
      }),
    }),
  ),
  {
    name: 'restoring twice ends nothing else',
    run: withInterceptions(async (harness, open) => {
      const [first, second] = [open(), open()]
      first.restore()
      first.restore()
      assertEqual(await told(harness, first, second), '0,1', 'products reported after one restored twice')
      second.restore()
      const third = open()
      first.restore()
      second.restore()
      assertEqual(await told(harness, first, second, third), '0,0,1', 'products reported after two restored again')
    }),
  },
  {
    name: 'an interception ends when it is disposed of',
    run: withInterceptions(async (harness, open) => {
      const [first, second] = [open(), open()]
      first[Symbol.dispose]()
      assertEqual(first.active, false, 'active, after disposal')
      assertEqual(await told(harness, first, second), '0,1', 'products reported after one was disposed of')
    }),
  },
  {
    name: 'an observer that intercepts twice is served until both have ended',
    async run(harness) {
      const watching = watcher()
      const [first, second] = [
        harness.backend.intercept(watching.observer),
        harness.backend.intercept(watching.observer),
      ]
      try {
        first.restore()
        assertEqual(`${first.active},${second.active}`, 'false,true', 'active, after the first of two ended')
        await harness.run(oneProduct())
        assertEqual(watching.products, 1, 'products reported after the first of two ended')
        second.restore()
        await harness.run(oneProduct())
        assertEqual(watching.products, 1, 'products reported after both ended')
      } finally {
        first.restore()
        second.restore()
      }
    },
  },
  {
    name: 'the library is left as it was found',
    requires: ['patchPoints'],
    run: withInterceptions(async (harness, open) => {
      assert(harness.patchPoints !== undefined, 'a harness that declares patchPoints supplies patchPoints()')
      const found = [...harness.patchPoints()]
      const check = (when: string) => {
        const now = [...harness.patchPoints!()]
        const changed = now.filter((point, i) => point !== found[i]).length
        assertEqual(`${now.length}/${changed}`, `${found.length}/0`, `patch points and those that differ, ${when}`)
      }
      const [first, second] = [open(), open()]
      await harness.run(layers(2))
      first.restore()
      await harness.run(layers(2))
      second.restore()
      check('after two interceptions, the first one restored first')
      const [outer, inner] = [open(), open()]
      inner.restore()
      inner.restore()
      outer.restore()
      outer.restore()
      check('after two interceptions, the second one restored first')
      await Promise.resolve(harness.run({ ...oneProduct(), inputs: oneProduct().inputs.toReversed() })).catch(() => {})
      check('after a product that fails')
    }),
  },
]
