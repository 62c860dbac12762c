import { bytesPerElement, type DType, decodeMessage, dtypes, encodeMessage } from '@tensor-assay/core'
import { bytesSource, readNpy, readSafetensors } from '@tensor-assay/verifier'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { join } from '../src/damage.ts'
import { npyFile, safetensorsFile } from '../src/targets/weights.ts'
import { validMessage } from '../src/valid-messages.ts'

test('every valid message comes back as it was, in the same bytes', () => {
  fc.assert(
    fc.property(validMessage, ({ type, control, segments }) => {
      const bytes = join(...encodeMessage(type, control, segments))
      const message = decodeMessage(bytes)
      expect(message).toEqual({ type, control, segments })
      expect(join(...encodeMessage(message.type, message.control, message.segments))).toEqual(bytes)
    }),
    { seed: 1, numRuns: 1500 },
  )
})

const safetensorsTypes: Readonly<Record<DType, string>> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  uint16: 'U16',
  int8: 'I8',
  uint8: 'U8',
}

const tensor = fc
  .tuple(fc.constantFrom(...dtypes), fc.array(fc.nat({ max: 4 }), { maxLength: 4 }), fc.nat())
  .map(([dtype, shape, start]) => {
    const length = shape.reduce((product, size) => product * size, bytesPerElement[dtype])
    return { dtype, shape, data: Uint8Array.from({ length }, (_, i) => start + 3 * i) }
  })

test('tensors written as safetensors are read as they were', async () => {
  const named = fc.dictionary(fc.string({ minLength: 1 }), tensor, { maxKeys: 6 })
  await fc.assert(
    fc.asyncProperty(named, async (tensors) => {
      // A key that every object has, and the one that means something else.
      const entries = Object.entries(tensors).filter(([name]) => !['__proto__', '__metadata__'].includes(name))
      let end = 0
      const header = entries.map(([name, { dtype, shape, data }]) => {
        const begin = end
        end += data.length
        return [name, { dtype: safetensorsTypes[dtype], shape, data_offsets: [begin, end] }] as const
      })
      const file = safetensorsFile(Object.fromEntries(header), join(...entries.map(([, { data }]) => data)))
      const { weights, skipped } = await readSafetensors(bytesSource(file))
      expect(skipped).toEqual([])
      const read = await Promise.all(
        weights.map(async ({ name, dtype, shape, read }) => [name, { dtype, shape, data: await read() }] as const),
      )
      expect(Object.fromEntries(read)).toEqual(Object.fromEntries(entries))
    }),
    { seed: 1, numRuns: 200 },
  )
})

test('an array written as npy is read as it was', async () => {
  const npyTypes: Partial<Record<DType, string>> = { float64: '<f8', float32: '<f4', float16: '<f2', int64: '<i8' }
  const more: Partial<Record<DType, string>> = { int32: '<i4', int16: '<i2', uint16: '<u2', int8: '|i1', uint8: '|u1' }
  const descr = { ...npyTypes, ...more }
  await fc.assert(
    fc.asyncProperty(
      tensor.filter(({ dtype }) => dtype in descr),
      fc.constantFrom(1, 2, 3),
      async ({ dtype, shape, data }, version) => {
        const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
        const header = `{'descr': '${descr[dtype]}', 'fortran_order': False, 'shape': ${tuple}, }\n`
        const weight = await readNpy(bytesSource(npyFile(header, data, version), 'x'))
        expect({ dtype: weight.dtype, shape: weight.shape, data: await weight.read() }).toEqual({ dtype, shape, data })
      },
    ),
    { seed: 1, numRuns: 300 },
  )
})
