import { describe, expect, it } from 'vitest'
import type { Backend } from '../../../src/backend.ts'
import { calibrate } from '../../../src/numerics/calibration/calibrate.ts'
import {
  type ObservedProduct,
  type ObserveOptions,
  observeProducts,
} from '../../../src/numerics/calibration/observe.ts'
import { referenceBackend } from '../../../src/testing/reference-backend.ts'
import { testRandom } from '../random.ts'

const { library, ...backend } = referenceBackend()
const { normal } = testRandom(61)
const count = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)
const tensor = (...shape: number[]) => library.tensor(shape, Array.from({ length: count(shape) }, normal))

/** Whether the profile accepts what was observed: it does if A, B, C and the epilogue were put together rightly. */
async function rejected(products: readonly ObservedProduct[]): Promise<number> {
  const report = await calibrate({ profile: 'float32', engine: '', families: [], multiply: () => undefined, products })
  return report.measured.reduce((sum, measured) => sum + measured.rejected, 0)
}

async function observed(run: () => unknown, options?: ObserveOptions, from: Backend = backend) {
  const products = await observeProducts(from, run, options)
  expect(await rejected(products)).toBe(0)
  return products
}

const sizes = ({ a, columns, c }: ObservedProduct) => [a.rows, a.cols, columns.rows, c.rows, c.cols]

describe('observeProducts', () => {
  it('takes a batch apart into the products of its matrices', async () => {
    const products = await observed(() => library.matMul(tensor(2, 3, 5, 7), tensor(3, 7, 6)))
    expect(products.map(sizes)).toEqual(Array.from({ length: 3 }, () => [10, 7, 6, 10, 6]))
  })

  it.each([true, false])('sees a convolution as patches and filters, channels last: %s', async (channelsLast) => {
    const [x, filters] = channelsLast
      ? [tensor(1, 6, 6, 3), tensor(3, 3, 3, 5)]
      : [tensor(1, 3, 6, 6), tensor(5, 3, 3, 3)]
    const products = await observed(() => library.conv2d(x, filters, { channelsLast, padding: [1, 1] }))
    expect(products.map(sizes)).toEqual([[36, 27, 5, 36, 5]])
  })

  it('keeps factor, bias and rectifier', async () => {
    const bias = tensor(6)
    const [product] = await observed(() =>
      library.matMul(tensor(4, 9), tensor(9, 6), { alpha: 0.5, beta: 2, bias, activation: { name: 'relu' } }),
    )
    expect(product!.epilogue).toEqual({
      alpha: 0.5,
      activation: { name: 'relu' },
      bias: Float64Array.from(bias.data, (value) => 2 * value),
    })
  })

  it('copies no more rows and columns than it is told', async () => {
    const bias = tensor(200)
    const run = () => library.matMul(tensor(300, 11), tensor(11, 200), { bias })
    expect((await observed(run)).map(sizes)).toEqual([[64, 11, 64, 64, 64]])
    expect((await observed(run, { rows: 2, columns: 9 })).map(sizes)).toEqual([[2, 11, 9, 2, 9]])
  })

  it('leaves out what rounds in its activation, what is added to, and what is no product', async () => {
    const products = await observed(() => {
      library.matMul(tensor(4, 9), tensor(9, 6), { activation: { name: 'sigmoid' } })
      library.matMul(tensor(4, 9), tensor(9, 6), { addend: tensor(4, 6) })
      library.matMul(tensor(4, 9), tensor(9, 6), { addend: tensor(4, 6) })
      library.bilinear(tensor(2, 3), tensor(3, 4), tensor(2, 4))
    })
    expect(products).toEqual([])
  })

  it('shows a wrong entry of what was observed', async () => {
    const [product] = await observed(() => library.matMul(tensor(4, 9), tensor(9, 6), { bias: tensor(6) }))
    const { bias: _, ...without } = product!.epilogue!
    expect(await rejected([{ ...product!, epilogue: without }])).toBeGreaterThan(0)
    const bytes = product!.c.bytes.slice()
    new Float32Array(bytes.buffer)[7]! += 0.01
    expect(await rejected([{ ...product!, c: { ...product!.c, bytes } }])).toBeGreaterThan(0)
  })

  it('rejects as the run does, and sees nothing afterwards', async () => {
    const run = () => {
      library.matMul(tensor(2, 3), tensor(3, 2))
      throw new Error('out of memory')
    }
    await expect(observeProducts(backend, run)).rejects.toThrow('out of memory')
    const products = await observeProducts(backend, () => undefined)
    library.matMul(tensor(2, 3), tensor(3, 2))
    expect(products).toEqual([])
  })
})
