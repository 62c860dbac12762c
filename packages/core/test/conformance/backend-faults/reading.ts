import type { Matrix } from '../../../src/matrix.ts'
import { type BackendFault, readings, readNow, stating } from './spoil.ts'

const reported = 'a product is reported as what it was: '
const onAndOn = 'what was read does not change when the library goes on'

export const readingFaults: Record<string, BackendFault> = {
  'reads what the last product left': {
    fault: (() => {
      const last = new Map<string, Matrix>()
      return readings(
        (handle, rows, allocate) => {
          const size = `${handle.rows}×${handle.cols}`
          const stale = last.get(size)
          const now = readNow(handle, rows, allocate)
          last.set(size, { ...now, bytes: now.bytes.slice() })
          return stale === undefined || stale.rows !== now.rows ? now : { ...now, bytes: stale.bytes }
        },
        ['c'],
      )
    })(),
    caughtBy: onAndOn,
    message: /C of product 1, read before/,
  },
  'reads a row too far': {
    fault: readings((handle, rows, allocate) =>
      readNow(
        handle,
        rows?.map((r) => (r + 1) % handle.rows),
        allocate,
      ),
    ),
    caughtBy: 'rows read alone are those of the whole: plain',
    message: /row 0 of A: byte/,
  },
  'reads every row where some were asked for': {
    fault: readings((handle, _rows, allocate) => readNow(handle, undefined, allocate)),
    caughtBy: 'rows read alone are those of the whole: plain',
    message: /size of some rows of A: expected 4×7, got 5×7/,
  },
  'changes the list of rows': {
    fault: readings((handle, rows, allocate) => {
      const matrix = readNow(handle, rows, allocate)
      rows?.fill(0)
      return rows === undefined ? matrix : readNow(handle, rows, allocate)
    }),
    caughtBy: 'rows read alone are those of the whole: batched',
    message: /row \d+ of A: byte/,
  },
  'ignores the memory that it is given': {
    fault: readings((handle, rows) => readNow(handle, rows, (bytes) => new Uint8Array(bytes))),
    caughtBy: 'what is read lies in the memory that the reader supplied',
    message: /A lies in other memory than was supplied/,
  },
  'reads everything into the same memory': {
    fault: (() => {
      const memory = new Uint8Array(2 ** 16)
      return readings((handle, rows) => readNow(handle, rows, (bytes) => memory.subarray(0, bytes)), ['c'])
    })(),
    caughtBy: onAndOn,
    message: /C of product 0, read before/,
  },
  'hands out the memory of the library': {
    fault: (harness, good) => {
      const live: Float32Array[] = []
      const { kernels } = good.library
      const original = kernels.matMul
      kernels.matMul = (a, b, options) => {
        const result = original(a, b, options)
        live.push(result.data)
        return result
      }
      const shared = stating((product) => {
        const { rows, cols, dtype } = product.c
        const read = (): Matrix => {
          const { buffer, byteOffset, byteLength } = live.at(-1)!
          return { rows, cols, dtype, bytes: new Uint8Array(buffer, byteOffset, byteLength) }
        }
        return { ...product, c: { ...product.c, read } }
      })
      return shared(harness, good)
    },
    caughtBy: 'writing over what was read changes neither the library nor a second reading',
    message: /result 0 after its reader wrote over what it read/,
  },
  'leaves the end of what it reads as it was': {
    fault: readings((handle, rows, allocate) => {
      const matrix = readNow(handle, rows, (bytes) => new Uint8Array(bytes))
      const bytes = allocate(matrix.bytes.length)
      bytes.set(matrix.bytes.subarray(0, -4))
      return { ...matrix, bytes }
    }),
    caughtBy: `${reported}plain`,
    message: /^ConformanceError: A: byte 136 is 165/,
  },
  'stores a tensor transposed': {
    fault: stating((product) => {
      const { b } = product
      const stored = () => {
        const { bytes } = readNow(b, undefined, (length) => new Uint8Array(length))
        return { key: b.key, dtype: b.dtype, byteLength: bytes.length, bytes }
      }
      return { ...product, b: { ...b, stored } }
    }),
    caughtBy: `${reported}plain`,
    message: /digest of B as it is stored/,
  },
}
