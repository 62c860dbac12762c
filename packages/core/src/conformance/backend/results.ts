import { assert, assertBytes, assertEqual } from '../assert.ts'
import type { BackendCase, BackendHarness } from '../backend.ts'
import { variants } from './products.ts'
import { layers, oneProduct } from './program.ts'
import { checkWatched } from './statement.ts'
import { bytesOf, watch, watcher } from './watch.ts'

const offered = ({ capabilities }: BackendHarness) =>
  variants.filter(({ requires = [] }) => requires.every((capability) => capabilities.includes(capability)))

/** That an audit leaves the run as it is. */
export const results: readonly BackendCase[] = [
  {
    name: 'results are the same bits with and without interception',
    async run(harness) {
      for (const { name, program } of offered(harness)) {
        const [without] = await harness.run(program)
        const [within] = (await watch(harness, program)).results
        const [after] = await harness.run(program)
        assertBytes(bytesOf(within!.data), bytesOf(without!.data), `${name}: the result within an interception`)
        assertBytes(bytesOf(after!.data), bytesOf(without!.data), `${name}: the result after an interception`)
      }
    },
  },
  {
    name: 'a product runs once, with and without interception',
    requires: ['kernelRuns'],
    async run(harness) {
      assert(harness.kernelRuns !== undefined, 'a harness that declares kernelRuns supplies kernelRuns()')
      for (const { name, program } of offered(harness)) {
        const before = harness.kernelRuns()
        await harness.run(program)
        const alone = harness.kernelRuns() - before
        assert(alone > 0, `${name}: kernelRuns() counts nothing`)
        await watch(harness, program)
        assertEqual(harness.kernelRuns() - before - alone, alone, `${name}: kernel runs within an interception`)
      }
    },
  },
  {
    name: 'products are reported in order, each before its caller has the result',
    async run(harness) {
      const watching = watcher()
      const interception = harness.backend.intercept(watching.observer)
      try {
        for (let i = 0; i < 4; i++) {
          await harness.run(oneProduct(i))
          assertEqual(watching.products, i + 1, 'products reported when the run returned')
        }
      } finally {
        interception.restore()
      }
      const program = layers(5)
      checkWatched(harness, program, await watch(harness, program))
    },
  },
  {
    name: 'runs that interleave are reported each with its own tensors',
    async run(harness) {
      const programs = [layers(3, 1), layers(4, 2), layers(2, 3), layers(5, 4)]
      const alone = []
      for (const program of programs) alone.push(...(await harness.run(program)).map(({ data }) => data.join()))
      const watching = watcher()
      const interception = harness.backend.intercept(watching.observer)
      let together: string[]
      try {
        const runs = await Promise.all(programs.map(async (program) => harness.run(program)))
        together = runs.flatMap((run) => run.map(({ data }) => data.join()))
      } finally {
        interception.restore()
      }
      const { seen } = await watching.taken()
      const reported = seen.map(({ c }) => new Float32Array(c.bytes.slice().buffer).join())
      assertEqual(together.join('\n'), alone.join('\n'), 'results of runs that interleave')
      assertEqual(reported.toSorted().join('\n'), alone.toSorted().join('\n'), 'every C that was reported')
    },
  },
  {
    name: 'no random number of the program is used up',
    async run(harness) {
      const original = Math.random
      let drawn = 0
      Math.random = () => {
        drawn++
        return original()
      }
      try {
        await harness.run(oneProduct())
        const alone = drawn
        await watch(harness, oneProduct())
        assertEqual(drawn - alone, alone, 'calls of Math.random within an interception')
      } finally {
        Math.random = original
      }
    },
  },
  {
    name: 'nothing is left behind in the library',
    requires: ['liveObjects'],
    async run(harness) {
      assert(harness.liveObjects !== undefined, 'a harness that declares liveObjects supplies liveObjects()')
      const before = harness.liveObjects()
      await harness.run(layers(3))
      const alone = harness.liveObjects() - before
      await watch(harness, layers(3))
      assertEqual(harness.liveObjects() - before - alone, alone, 'live objects more after an intercepted run')
    },
  },
]
