import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { programOf, verifierOf } from './support/registered.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

test('the example of the README does what it says', async () => {
  const [, example = ''] = /```js\n(.*?)```/s.exec(readme) ?? []
  const [, expected] = /console\.log\(.*\) \/\/ (.*)$/m.exec(example) ?? []
  const program = programOf('')
  const { address } = await verifierOf(program.model)
  const imports = Object.entries({
    '@tensor-assay/backend-onnx': new URL('../src/index.ts', import.meta.url).href,
    '@tensor-assay/core': new URL('../../core/src/index.ts', import.meta.url).href,
    '@tensor-assay/transport-tcp': new URL('../../transport-tcp/src/index.ts', import.meta.url).href,
    'tcp://127.0.0.1:11234': address,
  })
  const source = imports.reduce((text, [from, to]) => text.replace(`'${from}'`, `'${to}'`), example)
  writeFileSync(join(program.folder, 'app.mjs'), source)
  expect(await program.loaded().ended).toEqual({ code: 0, stdout: `${expected}\n`, stderr: '' })
})

test('the README names every variable that is read', () => {
  const named = new Set(readme.match(/ASSAY_[A-Z]+/g))
  const sources = ['settings', 'register-audit'].map((name) =>
    readFileSync(new URL(`../src/register/${name}.ts`, import.meta.url), 'utf8'),
  )
  expect(new Set(sources.join().match(/ASSAY_[A-Z]+/g))).toEqual(named)
})
