import type { MatmulForm } from './statement.ts'

/**
 * An equation of two operands as a matrix product, where that takes no permuting: A is [batch…, m…, k…] or
 * [batch…, k…, m…], B [batch…, k…, n…] or [batch…, n…, k…], the result [batch…, m…, n…].
 *
 * @returns The form, or why there is none.
 */
export function einsumForm(equation: string): MatmulForm | string {
  const parts = /^([a-zA-Z]*),([a-zA-Z]*)->([a-zA-Z]*)$/.exec(equation.replace(/\s/g, ''))
  if (parts === null) return 'an equation with an ellipsis, without its result, or of other than two operands'
  const [, a, b, c] = parts as unknown as [string, string, string, string]
  if ([a, b, c].some((labels) => new Set(labels).size !== labels.length)) return 'an equation that repeats a label'
  const all = [...new Set(a + b)]
  const select = (inA: boolean, inB: boolean, inC: boolean) =>
    all.filter((l) => a.includes(l) === inA && b.includes(l) === inB && c.includes(l) === inC).join('')
  if (select(true, false, false) !== '' || select(false, true, false) !== '') return 'an equation that sums one operand'
  const batch = select(true, true, true)
  const k = select(true, true, false)
  const m = select(true, false, true)
  const n = select(false, true, true)
  if (k === '') return 'an equation that sums nothing'
  const transposeA = a !== batch + m + k
  const transposeB = b !== batch + k + n
  if (c !== batch + m + n || (transposeA && a !== batch + k + m) || (transposeB && b !== batch + n + k)) {
    return 'an equation whose operands would have to be permuted'
  }
  const axes = { batchA: batch.length, batchB: batch.length, m: m.length, k: k.length, n: n.length }
  return { kind: 'matmul', transposeA, transposeB, axes }
}
