import { join } from 'node:path'
import type { ForeseenRows, Matrix, Product, TensorHandle } from '@tensor-assay/core'
import { bytesSource, readModel } from '@tensor-assay/onnx-model'
import * as ort from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import { shapesFollowFromInputs } from '../src/graph/shapes-of-values.ts'
import { type OnnxBackend, onnx } from '../src/index.ts'
import { generatedModels, mlp, transformer } from './models/index.ts'
import { sharedModels } from './models/shared.ts'
import { floatTensor, Numbers, node, onnxFile } from './models/writer.ts'
import { contents, feedsFor, levels, optionsAt, type Session } from './support/ort.ts'
import { folderOf, temporaryFilesIn } from './support/temporary.ts'

const operands = ['a', 'b', 'c', 'addend'] as const

/** Some rows of each operand, others for each product. */
function someRows(ahead: number, { b, addend }: Pick<Product, 'b' | 'addend'>, sizes: readonly number[]): ForeseenRows {
  const numbers = new Numbers(ahead + 1)
  const some = (rows: number) => Uint32Array.from(new Set(numbers.ints(Math.min(rows, 3), 0, rows - 1)).values()).sort()
  const [a, right, c] = sizes as [number, number, number]
  const rows = some(c)
  return { a: some(a), c: rows, ...(b.role === 'activation' && { b: some(right) }), ...(addend && { addend: rows }) }
}

/** What a run reports, read in full; undefined for what is opaque. */
async function wholeRun(backend: OnnxBackend, session: Session, feeds: ReturnType<typeof feedsFor>) {
  const products: ({ product: Product; matrices: Map<string, Matrix> } | undefined)[] = []
  using interception = backend.intercept({
    product(product) {
      const read = (handle: TensorHandle) => handle.read(undefined, (bytes) => new Uint8Array(bytes)) as Matrix
      products.push({
        product,
        matrices: new Map(operands.flatMap((name) => (product[name] ? [[name, read(product[name])]] : []))),
      })
    },
    opaque: () => void products.push(undefined),
  })
  expect(interception.active).toBe(true)
  const outputs = await session.run(feeds)
  return { products, outputs }
}

for (const model of [...generatedModels, ...sharedModels()]) {
  test.each(levels)(`${model.name}, level %s: gathered rows are those of the whole tensors`, async (level) => {
    using backend = onnx(ort, { sessions: 'all' })
    const session = await ort.InferenceSession.create(model.file, optionsAt(level))
    const feeds = feedsFor(session, model.feeds)
    const { products, outputs } = await wholeRun(backend, session, feeds)

    const failures: unknown[] = []
    const compared: number[] = []
    let asked = 0
    let reported = 0
    using interception = backend.intercept({
      foresee(ahead, foreseen) {
        asked++
        const known = products[ahead]
        // It can still turn out that it cannot be stated.
        if (known === undefined) return { a: new Uint32Array(), c: new Uint32Array() }
        const sizes = operands.map((name) => known.product[name]?.rows ?? 0)
        if (JSON.stringify(foreseen.layout) !== JSON.stringify(known.product.layout)) failures.push(foreseen.layout)
        return someRows(ahead, foreseen, sizes)
      },
      product(product) {
        const index = reported++
        try {
          const known = products[index]!
          const sizes = operands.map((name) => known.product[name]?.rows ?? 0)
          const rows = someRows(index, product, sizes)
          if (typeof rows === 'string') throw new TypeError('some rows')
          expect(product.layout).toEqual(known.product.layout)
          for (const name of operands) {
            const wanted = rows[name]
            if (wanted === undefined) continue
            const { bytes } = product[name]!.read(wanted, (length) => new Uint8Array(length)) as Matrix
            const whole = known.matrices.get(name)!
            const stride = whole.bytes.length / whole.rows
            const expected = [...wanted].map((r) => Buffer.from(whole.bytes.subarray(r * stride, (r + 1) * stride)))
            expect(Buffer.from(bytes).equals(Buffer.concat(expected)), `${product.node} ${name}`).toBe(true)
            compared.push(bytes.length)
          }
        } catch (failure) {
          failures.push(failure)
        }
      },
      opaque: () => void reported++,
    })
    expect(contents(await session.run(feeds))).toEqual(contents(outputs))
    for (const failure of failures) throw failure
    expect(interception.active).toBe(true)
    // Models whose shapes depend on values are read whole, and nobody is asked.
    const stated = products.filter((product) => product !== undefined)
    expect(asked === 0 || compared.length >= 2 * stated.length).toBe(true)
    await session.release()
  })
}

describe('reading by rows', () => {
  const { file, feeds } = mlp()
  const rows = { a: Uint32Array.of(0), c: Uint32Array.of(1) }

  /** A session that has run once, so that its shapes are known. */
  async function warmSession(bytes: Uint8Array = file, given = feeds) {
    const backend = onnx(ort)
    const session = await ort.InferenceSession.create(bytes)
    const input = feedsFor(session, given)
    await wholeRun(backend, session, input)
    return { backend, session, input }
  }

  test('gives nothing but the rows that were foreseen', async () => {
    const { backend, session, input } = await warmSession()
    using _backend = backend
    const thrown: unknown[] = []
    using _interception = backend.intercept({
      foresee: () => rows,
      product({ a, c }) {
        expect((a.read(rows.a, (bytes) => new Uint8Array(bytes)) as Matrix).rows).toBe(1)
        try {
          c.read(Uint32Array.of(0), (bytes) => new Uint8Array(bytes))
        } catch (error) {
          thrown.push(error)
        }
      },
      opaque: () => {},
    })
    await session.run(input)
    expect(thrown.length).toBeGreaterThan(0)
    for (const error of thrown) expect(error).toBeInstanceOf(RangeError)
  })

  test('is not done while somebody else needs whole tensors', async () => {
    const { backend, session, input } = await warmSession()
    using _backend = backend
    using _rows = backend.intercept({ foresee: () => rows, product: () => {}, opaque: () => {} })
    const { products } = await wholeRun(backend, session, input)
    expect(products.length).toBeGreaterThan(0)
  })

  test('reads nothing, and reports nothing, where nobody is concerned', async () => {
    const plain = await ort.InferenceSession.create(file)
    const { backend, session, input } = await warmSession()
    using _backend = backend
    let told = 0
    using _interception = backend.intercept({
      foresee: () => 'none',
      product: () => void told++,
      opaque: () => void told++,
    })
    expect(contents(await session.run(input))).toEqual(contents(await plain.run(input)))
    expect(told).toBe(0)
  })

  test('counts the products of runs that overlap one after the other, and those that nothing is known of', async () => {
    const { backend, session, input } = await warmSession()
    const folder = folderOf()
    temporaryFilesIn(join(folder, 'missing'))
    const unread = await ort.InferenceSession.create(file)
    temporaryFilesIn(folder)
    using _backend = backend
    let told = 0
    const foreseen: number[] = []
    const reported: number[] = []
    using _interception = backend.intercept({
      foresee(ahead, { layout }) {
        const m = layout.kind === 'matmul' ? layout.m : 1
        const row = (told + ahead) % m
        foreseen.push(told + ahead)
        return { a: Uint32Array.of(row), c: Uint32Array.of(row) }
      },
      product({ a, c, layout }) {
        const row = layout.kind === 'matmul' ? told % layout.m : 0
        for (const handle of [a, c]) handle.read(Uint32Array.of(row), (bytes) => new Uint8Array(bytes))
        reported.push(told++)
      },
      opaque: () => void told++,
    })
    const unreadInput = feedsFor(unread, feeds)
    await Promise.all([session.run(input), unread.run(unreadInput), session.run(input), session.run(input)])
    expect(reported).toEqual(foreseen)
    expect(reported.length).toBeGreaterThan(3)
    // The opaque run has a number among them.
    expect(told).toBe(reported.length + 1)
  })

  test('starts again from whole tensors for inputs of another shape', async () => {
    const { backend, session } = await warmSession()
    using _backend = backend
    let asked = 0
    const rowsSeen: number[] = []
    using _interception = backend.intercept({
      foresee() {
        asked++
        return rows
      },
      product: ({ a }) => void rowsSeen.push(a.rows),
      opaque: () => {},
    })
    const name = session.inputNames[0]!
    const { dims } = feeds[name]!
    const other = new ort.Tensor('float32', new Float32Array(9 * dims[1]!), [9, dims[1]!])
    await session.run({ [name]: other })
    expect(asked).toBe(0)
    await session.run({ [name]: other })
    expect(asked).toBeGreaterThan(0)
    expect(new Set(rowsSeen)).toEqual(new Set([9]))
  })

  test('gives the elements of its own run where inputs of two shapes take turns', async () => {
    const { backend, session } = await warmSession()
    using _backend = backend
    const name = session.inputNames[0]!
    const width = feeds[name]!.dims[1]!
    const input = (length: number, seed: number) => {
      return { [name]: new ort.Tensor('float32', new Numbers(seed).floats(length * width, 1), [length, width]) }
    }
    const inputs = [4, 9, 4, 9, 9, 4].map((length, i) => input(length, i))
    const runs: (readonly [layout: string, bytes: string])[][] = []
    let asked = 0
    const observe = (isWhole: boolean) =>
      backend.intercept({
        foresee: () => {
          asked++
          return isWhole ? 'all' : rows
        },
        product({ layout, a, c }) {
          const read = (handle: TensorHandle, wanted: Uint32Array) =>
            Buffer.from((handle.read(wanted, (length) => new Uint8Array(length)) as Matrix).bytes).toString('hex')
          runs.at(-1)!.push([JSON.stringify(layout), `${read(a, rows.a)} ${read(c, rows.c)}`])
        },
        opaque: () => {},
      })
    const runAll = async () => {
      for (const given of inputs) {
        runs.push([])
        await session.run(given)
      }
      return runs.splice(0)
    }
    const whole = observe(true)
    const expected = await runAll()
    whole.restore()
    const askedBefore = asked
    using _rows = observe(false)
    expect(await runAll()).toEqual(expected)
    expect(asked - askedBefore).toBeGreaterThanOrEqual(inputs.length)
    expect(new Set(expected.map((products) => products[0]![1])).size).toBe(inputs.length)
  })
})

describe('shapes that follow from those of the inputs', () => {
  const graphOf = (nodes: Parameters<typeof onnxFile>[0]['nodes']) =>
    readModel(
      bytesSource(
        onnxFile({
          nodes: nodes!,
          initializers: [floatTensor('w', [4], [1, 2, 3, 4])],
          inputs: [{ name: 'x', type: 'float32', dims: ['n', 4] }],
          outputs: [{ name: 'y' }],
        }),
      ),
    )

  test.each([
    ['plain operators', [node('Mul', ['x', 'w'], 'y')], true],
    ['a shape that comes from a shape', [node('Shape', ['x'], 's'), node('Reshape', ['x', 's'], 'y')], true],
    ['a shape that comes from values', [node('Cast', ['x'], 's', { to: 7n }), node('Reshape', ['x', 's'], 'y')], false],
    ['an operator whose result is as long as it happens to be', [node('NonZero', ['x'], 'y')], false],
    ['the same on something known', [node('NonZero', ['w'], 'z'), node('Mul', ['x', 'w'], 'y')], true],
    ['an operator of somebody else', [{ ...node('Mul', ['x', 'w'], 'y'), domain: 'example.com' }], false],
    ['an operator of the optimiser', [{ ...node('Gelu', ['x'], 'y'), domain: 'com.microsoft' }], true],
  ] as const)('%s', (_name, nodes, expected) => {
    expect(shapesFollowFromInputs(graphOf([...nodes]))).toBe(expected)
  })

  test('of a transformer', () => {
    expect(shapesFollowFromInputs(readModel(bytesSource(transformer().file)))).toBe(true)
  })
})

describe('whole tensors', () => {
  test('that nobody else uses are given away, not copied; those of the user are copied', async () => {
    const { file, feeds } = mlp()
    using backend = onnx(ort)
    const session = await ort.InferenceSession.create(file)
    const input = feedsFor(session, feeds)
    const plain = await session.run(input)
    const expected = contents(plain)
    const copied: number[] = []
    const buffers: ArrayBufferLike[] = []
    using interception = backend.intercept({
      product({ a, c }) {
        for (const handle of [a, c]) {
          const first = handle.read(undefined, (bytes) => {
            copied.push(bytes)
            return new Uint8Array(bytes)
          }) as Matrix
          const second = handle.read(undefined, (bytes) => new Uint8Array(bytes)) as Matrix
          expect(Buffer.from(first.bytes).equals(second.bytes)).toBe(true)
          expect(second.bytes.buffer).not.toBe(first.bytes.buffer)
          buffers.push(first.bytes.buffer)
        }
      },
      opaque: () => {},
    })
    expect(interception.active).toBe(true)
    const outputs = await session.run(input)
    // The first A is the user's input and the last C the output; what lies between was fetched for the audit.
    expect(copied.length).toBeGreaterThanOrEqual(1)
    expect(copied.length).toBeLessThan(buffers.length)
    for (const buffer of buffers) structuredClone(buffer, { transfer: [buffer as ArrayBuffer] })
    expect(contents(outputs)).toEqual(expected)
    expect(input).toEqual(feedsFor(session, feeds))
    expect(contents(await session.run(input))).toEqual(expected)
  })
})
