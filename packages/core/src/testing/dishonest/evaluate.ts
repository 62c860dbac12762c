import type { Geometry } from '../../layout.ts'
import { activate, type NumericActivation } from '../../numerics/epilogue.ts'
import type { Epilogue, StoredTensor, VectorOperand } from '../../product.ts'
import type { Values } from './attack.ts'

/** Whether the rows of C are the rows of the tensor, which is where {@link evaluate} puts them. */
export function hasPlainRows({ rows, n, c }: Geometry): boolean {
  return c.rows === rows && c.cols === n
}

/** C = activation(α·A·B + β·(bias + addend)) for any operands, in float64, rounded to float32. Shape {@link Geometry.c}. */
export function evaluate(geometry: Geometry, epilogue: Epilogue, { a, b, addend }: Omit<Values, 'c'>): Float32Array {
  const { rows, k, n } = geometry
  const { alpha, beta = 1 } = epilogue
  const bias = biasOf(epilogue)
  const activation = activationValues(epilogue)
  const lookup = (row: number) => Float64Array.from(a.subarray(row * geometry.a.cols, (row + 1) * geometry.a.cols))
  const c = new Float32Array(rows * n)
  for (let r = 0; r < rows; r++) {
    const left = geometry.readA(r, lookup)
    const matrix = geometry.matrixOf(r) * n * k
    for (let j = 0; j < n; j++) {
      let sum = 0
      for (let t = 0; t < k; t++) sum += left[t]! * b[matrix + j * k + t]!
      const added = bias[bias.length === 1 ? 0 : j]! + beta * (addend?.[r * n + j] ?? 0)
      c[r * n + j] = activate(activation, j, alpha * sum + added)
    }
  }
  return c
}

/** What is added to every row, for each column or one for all of them; 0 where there is no bias. */
export function biasOf({ bias, beta = 1 }: Epilogue): Float32Array {
  return bias === undefined ? new Float32Array(1) : vectorValues(bias).map((value) => beta * value)
}

function activationValues({ activation }: Epilogue): NumericActivation {
  if (activation.name !== 'prelu') return activation
  return { name: 'prelu', slopes: Float64Array.from(vectorValues(activation.slopes)) }
}

function vectorValues({ stored }: VectorOperand): Float32Array {
  return float32s(now(stored()))
}

function float32s({ bytes }: StoredTensor): Float32Array {
  return new Float32Array(bytes.slice().buffer)
}

/** @throws {TypeError} If `value` is a promise. */
export function now<T>(value: T | Promise<T>): T {
  if (value instanceof Promise) throw new TypeError('dishonest provers need a backend that reads at once')
  return value
}
