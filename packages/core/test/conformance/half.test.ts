import { describe, expect, test } from 'vitest'
import { numbers, type Program } from '../../src/conformance/backend/program.ts'
import { checkWatched } from '../../src/conformance/backend/statement.ts'
import { watch } from '../../src/conformance/backend/watch.ts'
import type { BackendHarness } from '../../src/conformance/index.ts'
import { toFloat64 } from '../../src/dtype.ts'
import type { Matrix } from '../../src/matrix.ts'
import { encodeMatrix } from '../../src/numerics/calibration/encode.ts'
import type { Product, StoredTensor, TensorHandle, VectorOperand } from '../../src/product.ts'
import { referenceBackend } from '../../src/testing/index.ts'
import { referenceHarness } from './reference-harness.ts'

type Half = 'float16' | 'bfloat16'
type Round = (values: Float32Array) => Float32Array

/** What is left of numbers in 16 bits, to nearest. */
const nearest =
  (dtype: Half): Round =>
  (values) =>
    Float32Array.from(toFloat64(encodeMatrix(values, 1, values.length, dtype).bytes, dtype))

/** The same cut off: as much less as half a unit in the last place. */
const towardsZero: Round = (values) => {
  const bits = new Uint32Array(values.slice().buffer).map((word) => word & 0xffff0000)
  return new Float32Array(bits.buffer)
}

/** The reference library with tensors of 16 bits and sums in float32, for programs of one product. */
function halfHarness(dtype: Half, roundC: Round = nearest(dtype)): BackendHarness {
  const { library, ...backend } = referenceBackend()
  const { run, capabilities } = referenceHarness({ library, ...backend })
  const convert = (matrix: Matrix, round: Round): Matrix => {
    const values = new Float32Array(matrix.bytes.slice().buffer)
    return encodeMatrix(round(values), matrix.rows, matrix.cols, dtype)
  }
  const handle = <Handle extends TensorHandle>(of: Handle, round: Round = nearest(dtype)): Handle => ({
    ...of,
    dtype,
    read: async (...args: Parameters<TensorHandle['read']>) => convert(await of.read(...args), round),
  })
  const stored = (of: Pick<VectorOperand, 'stored'>) => () => {
    const whole = of.stored() as StoredTensor
    const { bytes } = convert({ ...whole, rows: 1, cols: whole.byteLength / 4 }, nearest(dtype))
    return { ...whole, dtype, bytes, byteLength: bytes.length }
  }
  const half = (product: Product): Product => {
    const { a, b, c, epilogue } = product
    const { bias } = epilogue
    return {
      ...product,
      profile: dtype,
      a: handle(a),
      b: { ...handle(b), stored: stored(b) },
      c: handle(c, roundC),
      epilogue: { ...epilogue, ...(bias && { bias: { ...bias, dtype, stored: stored(bias) } }) },
    }
  }
  return {
    capabilities,
    backend: {
      ...backend,
      supports: { ...backend.supports, dtypes: [dtype], profiles: [dtype] },
      intercept: (observer) =>
        backend.intercept({ ...observer, product: (product) => observer.product(half(product)) }),
    },
    async run(program) {
      const inputs = program.inputs.map(({ shape, data }) => ({ shape, data: nearest(dtype)(data) }))
      const results = await run({ ...program, inputs })
      return results.map(({ shape, data }) => ({ shape, data: roundC(data) }))
    },
  }
}

const program: Program = {
  inputs: [numbers([6, 40], 1), numbers([40, 24], 2), numbers([24], 3)],
  operations: [{ kind: 'matMul', a: 0, b: 1, bias: 2, activation: 'relu' }],
}

const check = async (harness: BackendHarness) => checkWatched(harness, program, await watch(harness, program))

describe('a library of 16-bit tensors', () => {
  test.each(['float16', 'bfloat16'] as const)('keeps the contract where it rounds to %s', async (dtype) => {
    await check(halfHarness(dtype))
  })

  test('does not where it cuts results off', async () => {
    await expect(check(halfHarness('bfloat16', towardsZero))).rejects.toThrow(
      /row 0 does not follow from A and B in bfloat16/,
    )
  })
})
