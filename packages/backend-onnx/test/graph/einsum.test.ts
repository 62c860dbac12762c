import { expect, test } from 'vitest'
import { einsumForm } from '../../src/graph/einsum.ts'

const axes = (batch: number, m: number, k: number, n: number) => ({ batchA: batch, batchB: batch, m, k, n })

test('equations that are products as they stand', () => {
  const form = (transposeA: boolean, transposeB: boolean, sizes: object) => ({
    kind: 'matmul',
    transposeA,
    transposeB,
    axes: sizes,
  })
  expect(einsumForm('ij,jk->ik')).toEqual(form(false, false, axes(0, 1, 1, 1)))
  expect(einsumForm(' ij , kj -> ik ')).toEqual(form(false, true, axes(0, 1, 1, 1)))
  expect(einsumForm('ji,jk->ik')).toEqual(form(true, false, axes(0, 1, 1, 1)))
  expect(einsumForm('bhid,bhjd->bhij')).toEqual(form(false, true, axes(2, 1, 1, 1)))
  expect(einsumForm('bij,bjk->bik')).toEqual(form(false, false, axes(1, 1, 1, 1)))
  expect(einsumForm('sbi,ij->sbj')).toEqual(form(false, false, axes(0, 2, 1, 1)))
  expect(einsumForm('bsnh,nhd->bsd')).toEqual(form(false, false, axes(0, 2, 2, 1)))
  expect(einsumForm('i,i->')).toEqual(form(false, false, axes(0, 0, 1, 0)))
})

test('equations that are not', () => {
  expect(einsumForm('bsnh,btnh->bnst')).toMatch(/permuted/)
  expect(einsumForm('ij,jk->ki')).toMatch(/permuted/)
  expect(einsumForm('ijk,kj->i')).toMatch(/permuted/)
  expect(einsumForm('ii,ij->j')).toMatch(/repeats/)
  expect(einsumForm('ijx,jk->ik')).toMatch(/sums one operand/)
  expect(einsumForm('i,j->ij')).toMatch(/sums nothing/)
  expect(einsumForm('ij,jk')).toMatch(/without its result/)
  expect(einsumForm('...ij,jk->...ik')).toMatch(/ellipsis/)
  expect(einsumForm('ij,jk,kl->il')).toMatch(/other than two operands/)
})
