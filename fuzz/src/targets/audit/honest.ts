import { hexToBytes } from '@noble/hashes/utils.js'
import { geometryOf, type Matrix, type ProductRecord, toFloat64 } from '@tensor-assay/core'
import type { PreparedWeights } from '../../../../packages/verifier/src/prepared-weights.ts'
import { sizesOf } from './layouts.ts'
import type { Draft } from './records.ts'

/**
 * C as an honest engine would have it, for drafts whose rows of C are whole rows of the product: float32, plain or
 * rectified. Undefined for others.
 */
export async function honestC(draft: Draft, a: Matrix, prepared: PreparedWeights): Promise<Matrix | undefined> {
  const { record, weight, transposed, c, b, addend } = draft
  const { layout, activation } = record
  const isWhole = layout.kind === 'matmul' || (layout.channelsLast && layout.groups === 1)
  const isPlain = ['float32', 'tf32'].includes(record.profile) && ['linear', 'relu'].includes(activation.name)
  const { rows, matrices } = sizesOf(layout)
  if (c.rows * c.cols > 2048 || rows > 2048 || matrices > 64) return undefined
  if (b !== undefined || addend !== undefined || !isWhole || !isPlain || c.dtype !== 'float32' || a.dtype !== 'float32')
    return undefined
  const stated: ProductRecord = {
    ...record,
    a: 0,
    b: { kind: 'weight', digest: hexToBytes(weight.digest), transposed },
    c: 0,
  }
  try {
    const { matrices, epilogues } = await prepared.of(stated, 'float32')
    const geometry = geometryOf(layout)
    const values = toFloat64(a.bytes, 'float32')
    const lookUp = (row: number) => values.subarray(row * a.cols, (row + 1) * a.cols)
    const out = new Float32Array(c.rows * c.cols)
    for (let r = 0; r < geometry.rows; r++) {
      const row = geometry.readA(r, lookUp)
      const matrix = matrices[geometry.matrixOf(r)]!
      const { alpha, bias } = epilogues[geometry.matrixOf(r) % epilogues.length]!
      for (let j = 0; j < geometry.n; j++) {
        let sum = 0
        for (let t = 0; t < geometry.k; t++) sum += row[t]! * matrix.columns[j * geometry.k + t]!
        const x = alpha * sum + (bias === undefined ? 0 : bias[bias.length === 1 ? 0 : j]!)
        out[r * geometry.n + j] = activation.name === 'relu' ? Math.max(x, 0) : x
      }
    }
    return { ...c, bytes: new Uint8Array(out.buffer) }
  } catch (error) {
    // A draft that the verifier refuses: there is nothing honest about it.
    if (error instanceof RangeError || error instanceof TypeError) return undefined
    throw error
  }
}
