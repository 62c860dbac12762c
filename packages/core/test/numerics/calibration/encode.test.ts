import { describe, expect, it } from 'vitest'
import { toFloat64 } from '../../../src/dtype.ts'
import { encodeMatrix } from '../../../src/numerics/calibration/encode.ts'
import { testRandom } from '../random.ts'
import { bfloat16, float16 } from '../rounding.ts'

const rounded = { float16, bfloat16 } as const

describe.each(['float16', 'bfloat16'] as const)('operands of %s', (dtype) => {
  it('are every number of the format, as it is', () => {
    const patterns = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits)
    const values = toFloat64(new Uint8Array(patterns.buffer), dtype).filter((value) => Number.isFinite(value))
    const { bytes } = encodeMatrix(Float32Array.from(values), 1, values.length, dtype)
    const back = toFloat64(bytes, dtype)
    expect(back.every((value, i) => value === values[i])).toBe(true)
  })

  it('are rounded to nearest', () => {
    const { normal, uniform } = testRandom(1)
    const values = Float32Array.from({ length: 20_000 }, () => normal() * 2 ** (20 * uniform() - 16))
    const back = toFloat64(encodeMatrix(values, 1, values.length, dtype).bytes, dtype)
    expect([...back]).toEqual([...values].map(rounded[dtype]))
  })
})
