import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import * as limits from '../src/index.ts'

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')

test('the example of the README does what it says', async () => {
  const [, example = ''] = /```ts\n(.*?)```/s.exec(readme) ?? []
  const expected = [...example.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map(([, output]) => output)
  expect(expected).toHaveLength(3)
  const flags = ['--conditions=@tensor-assay/source', '--import=tsx', '--input-type=module']
  const source = example.replace("'@tensor-assay/onnx-model'", `'${new URL('../src/index.ts', import.meta.url).href}'`)
  // The one thing in it that is not JavaScript.
  const program = source.replaceAll(')!', ')')
  const options = { cwd: import.meta.dirname }
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, '--eval', program], options)
  expect(stdout.trim().split('\n')).toEqual(expected)
})

test('the limits of the README are those of the code', () => {
  const rows = [...readme.matchAll(/^\| `(max\w+)` +\| ([^|]+?) +\|/gm)]
  expect(rows.map(([, name]) => name).sort()).toEqual(
    Object.keys(limits)
      .filter((name) => name.startsWith('max'))
      .sort(),
  )
  const units: Record<string, number> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }
  for (const [, name, text] of rows) {
    const [, number, unit] = /^([\d ]+|2²⁶)(?: (\wiB))?$/.exec(text!)!
    const value =
      number === '2²⁶' ? 2 ** 26 : Number(number!.replaceAll(' ', '')) * (unit === undefined ? 1 : units[unit]!)
    expect([name, (limits as unknown as Record<string, number>)[name!]]).toEqual([name, value])
  }
})
