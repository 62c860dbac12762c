import { type Matrix, row } from '../../matrix.ts'
import type { Product, TensorHandle } from '../../product.ts'
import { assert, assertBytes, assertEqual } from '../assert.ts'
import type { BackendCapability, BackendCase, BackendHarness } from '../backend.ts'
import { variants } from './products.ts'
import { layers, type Program } from './program.ts'
import { dirtyMemory, watcher } from './watch.ts'

type Reading = Matrix | Promise<Matrix>

/** Hands every product of a run to `look`, whose readings are awaited afterwards. */
async function during<T>(
  harness: BackendHarness,
  program: Program,
  look: (product: Product) => T | Promise<T>,
): Promise<T[]> {
  const looked: Promise<T>[] = []
  const interception = harness.backend.intercept({
    product(product) {
      // Called now, and not when the promise is looked at.
      const found = (async () => look(product))()
      found.catch(() => undefined)
      looked.push(found)
    },
    opaque: () => undefined,
  })
  try {
    await harness.run(program)
  } finally {
    interception.restore()
  }
  assert(looked.length > 0, 'no product was reported')
  return Promise.all(looked)
}

const handlesOf = ({ a, b, c, addend }: Product): [string, TensorHandle][] => [
  ['A', a],
  ['B', b],
  ['C', c],
  ...(addend ? [['the addend', addend] as [string, TensorHandle]] : []),
]

/** Some rows, such that neither an offset nor a stride can be guessed from the first. */
function someRows(rows: number): Uint32Array {
  return Uint32Array.from(new Set([0, Math.floor(rows / 2), rows - 2, rows - 1].filter((r) => r >= 0))).sort()
}

const named = (name: string) => variants.find((variant) => variant.name === name)!

function readRowsCase(name: string, program: Program, requires: readonly BackendCapability[] = []): BackendCase {
  return {
    name: `rows read alone are those of the whole: ${name}`,
    requires,
    async run(harness) {
      await during(harness, program, async (product) => {
        const read = handlesOf(product).map(([name, handle]) => {
          const wanted = someRows(handle.rows)
          const asked = wanted.slice()
          return {
            name,
            handle,
            asked,
            some: handle.read(wanted, dirtyMemory),
            whole: handle.read(undefined, dirtyMemory),
          }
        })
        for (const { name, handle, asked, some, whole } of read) {
          const [part, all] = await Promise.all([some, whole])
          assertEqual(`${part.rows}×${part.cols}`, `${asked.length}×${handle.cols}`, `size of some rows of ${name}`)
          for (const [i, r] of asked.entries()) assertBytes(row(part, i), row(all, r), `row ${r} of ${name}`)
        }
      })
    },
  }
}

/** What `read` promises: the right rows, in memory of the reader's that never changes. */
export const reading: readonly BackendCase[] = [
  readRowsCase('plain', named('plain').program),
  readRowsCase('both transposed', named('both transposed').program, ['transposed']),
  readRowsCase('batched', named('batched').program, ['batched']),
  {
    name: 'what is read lies in the memory that the reader supplied',
    async run(harness) {
      await during(harness, named('plain').program, async (product) => {
        for (const [name, handle] of handlesOf(product)) {
          const supplied = new Set<ArrayBufferLike>()
          const matrix: Reading = handle.read(undefined, (bytes) => {
            const memory = dirtyMemory(bytes)
            supplied.add(memory.buffer)
            return memory
          })
          const { bytes } = await matrix
          assert(supplied.has(bytes.buffer), `${name} lies in other memory than was supplied`)
        }
      })
    },
  },
  {
    name: 'writing over what was read changes neither the library nor a second reading',
    async run(harness) {
      const program = layers(2)
      const without = await harness.run(program)
      const interception = harness.backend.intercept({
        product(product) {
          for (const [, handle] of handlesOf(product)) {
            const spoil = (matrix: Matrix) => void matrix.bytes.fill(0xff)
            const matrix = handle.read(undefined, dirtyMemory)
            if (matrix instanceof Promise) void matrix.then(spoil, () => undefined)
            else spoil(matrix)
          }
        },
        opaque: () => undefined,
      })
      const second = watcher()
      const behind = harness.backend.intercept(second.observer)
      try {
        const results = await harness.run(program)
        for (const [i, result] of results.entries()) {
          assertEqual(
            result.data.join(),
            without[i]!.data.join(),
            `result ${i} after its reader wrote over what it read`,
          )
        }
        for (const [i, { c }] of (await second.taken()).seen.entries()) {
          const values = new Float32Array(c.bytes.slice().buffer)
          assertEqual(values.join(), without[i]!.data.join(), `C of product ${i} as a second observer reads it`)
        }
      } finally {
        interception.restore()
        behind.restore()
      }
    },
  },
  {
    name: 'what was read does not change when the library goes on',
    async run(harness) {
      const watching = watcher()
      const interception = harness.backend.intercept(watching.observer)
      const results: Float32Array[] = []
      try {
        for (let i = 0; i < 8; i++) results.push(...(await harness.run(layers(2, i))).map(({ data }) => data.slice()))
      } finally {
        interception.restore()
      }
      const { seen } = await watching.taken()
      assertEqual(seen.length, results.length, 'products reported')
      for (const [i, { c }] of seen.entries()) {
        assertEqual(
          new Float32Array(c.bytes.slice().buffer).join(),
          results[i]!.join(),
          `C of product ${i}, read before`,
        )
      }
    },
  },
]
