import { assert, assertEqual } from '../assert.ts'
import type { BackendCase } from '../backend.ts'
import { layers, numbers, oneProduct, type Program } from './program.ts'
import { checkWatched } from './statement.ts'
import { watch } from './watch.ts'

/** One A and one bias in two products, by different weights; then the same weights by another A. */
const shared: Program = {
  inputs: [numbers([5, 6], 1), numbers([6, 6], 2), numbers([6, 6], 3), numbers([5, 6], 4)],
  operations: [
    { kind: 'matMul', a: 0, b: 1 },
    { kind: 'matMul', a: 0, b: 2 },
    { kind: 'matMul', a: 3, b: 2 },
  ],
}

/** One tensor read in two ways. */
const bothWays: Program = {
  inputs: [numbers([6, 6], 1), numbers([6, 6], 2)],
  operations: [
    { kind: 'matMul', a: 0, b: 1 },
    { kind: 'matMul', a: 0, b: 1, transposeA: true },
  ],
}

const changed: Program = {
  inputs: [numbers([5, 6], 1), numbers([6, 6], 2)],
  operations: [
    { kind: 'matMul', a: 0, b: 1 },
    { kind: 'assign', target: 0, value: numbers([5, 6], 3) },
    { kind: 'assign', target: 1, value: numbers([6, 6], 4) },
    { kind: 'matMul', a: 0, b: 1 },
  ],
}

/** How a tensor is recognised: the same data read the same way has the same key, and nothing else has. */
export const keys: readonly BackendCase[] = [
  {
    name: 'a tensor that two products use has one key, and other tensors have others',
    async run(harness) {
      const watched = await watch(harness, shared)
      checkWatched(harness, shared, watched)
      const [first, second, third] = watched.seen.map(({ product }) => product)
      assert(first!.a.key === second!.a.key, 'the same A has two keys')
      assert(second!.b.key === third!.b.key, 'the same B has two keys')
      assert(second!.a.key !== third!.a.key, 'two tensors A have the same key')
      assert(first!.b.key !== second!.b.key, 'two tensors B have the same key')
      const [one, two, three] = watched.seen.map(({ stored }) => stored.key)
      assert(two === three, 'the same stored B has two keys')
      assert(one !== two, 'two stored tensors have the same key')
    },
  },
  {
    name: 'the C of a product that is the A of the next keeps its key',
    async run(harness) {
      const program = layers(3)
      const watched = await watch(harness, program)
      checkWatched(harness, program, watched)
      const [first, second, third] = watched.seen.map(({ product }) => product)
      assert(first!.c.key === second!.a.key && second!.c.key === third!.a.key, 'an A is not recognised as the C before')
      const distinct = new Set([first!.a.key, first!.c.key, second!.c.key, third!.c.key])
      assertEqual(distinct.size, 4, 'keys of the four tensors in a row')
    },
  },
  {
    name: 'a tensor read across has another key',
    requires: ['transposed'],
    async run(harness) {
      const watched = await watch(harness, bothWays)
      checkWatched(harness, bothWays, watched)
      const [first, second] = watched.seen.map(({ product }) => product)
      assert(first!.a.key !== second!.a.key, 'op(A) and A have the same key')
    },
  },
  {
    name: 'equal runs on new tensors have new keys',
    async run(harness) {
      const [first] = (await watch(harness, oneProduct(1))).seen
      const [second] = (await watch(harness, oneProduct(2))).seen
      assert(first !== undefined && second !== undefined, 'a product was not reported')
      for (const name of ['a', 'b', 'c'] as const) {
        assert(first.product[name].key !== second.product[name].key, `${name.toUpperCase()} of two runs has one key`)
      }
    },
  },
  {
    name: 'a B that a product computed is an activation, a given one a candidate',
    async run(harness) {
      const program: Program = {
        inputs: [numbers([6, 6], 1), numbers([6, 6], 2)],
        operations: [
          { kind: 'matMul', a: 0, b: 1 },
          { kind: 'matMul', a: 0, b: 2 },
        ],
      }
      const watched = await watch(harness, program)
      checkWatched(harness, program, watched)
      const [first, second] = watched.seen.map(({ product }) => product.b.role)
      assertEqual(first, 'candidate', 'role of a B that was given')
      assertEqual(second, 'activation', 'role of a B that a product computed')
    },
  },
  {
    name: 'a tensor changed in place has another key, and what was read of it stays',
    requires: ['assign'],
    async run(harness) {
      const watched = await watch(harness, changed)
      // Compares what was read before the change with what the tensors held then.
      checkWatched(harness, changed, watched)
      const [before, after] = watched.seen
      for (const name of ['a', 'b'] as const) {
        const what = name.toUpperCase()
        assert(before!.product[name].key !== after!.product[name].key, `${what} keeps its key when its data change`)
      }
      assert(before!.stored.key !== after!.stored.key, 'the stored B keeps its key when its data change')
    },
  },
]
