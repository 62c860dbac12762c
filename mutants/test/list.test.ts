import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { idOf, mutated } from '../src/apply.ts'
import { mutants } from '../src/list/index.ts'

const root = new URL('../../', import.meta.url)

test('there are enough of them, and none is there twice', () => {
  expect(mutants.length).toBeGreaterThanOrEqual(150)
  expect(new Set(mutants.map(idOf)).size).toBe(mutants.length)
})

test.each(mutants.map((mutant) => [idOf(mutant), mutant] as const))('%s can be made', async (_, mutant) => {
  const source = await readFile(new URL(mutant.file, root), 'utf8')
  expect(mutated(source, mutant)).not.toBe(source)
  expect(mutant.tests.filter((file) => !existsSync(new URL(file, root)))).toEqual([])
})

test('a text that is not there, or there twice, is refused', () => {
  const mutant = { name: 'x', file: 'y', find: 'ab', replace: 'c', why: '', tests: [] }
  expect(mutated('1ab2', mutant)).toBe('1c2')
  expect(() => mutated('12', mutant)).toThrow(/found it 0 times/)
  expect(() => mutated('ab1ab', mutant)).toThrow(/found it 2 times/)
})
