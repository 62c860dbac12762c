import { execFile } from 'node:child_process'
import { access, readdir, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'

const root = new URL('../../', import.meta.url)
const read = (path: string) => readFile(new URL(path, root), 'utf8')

async function markdownIn(folder: string): Promise<string[]> {
  const names = await readdir(new URL(folder, root))
  return names.filter((name) => name.endsWith('.md')).map((name) => `${folder}${name}`)
}

const packages = await readdir(new URL('packages/', root))
const folders = ['', 'docs/', 'docs/decisions/', ...packages.map((name) => `packages/${name}/`)]
const documents = (await Promise.all(folders.map(markdownIn))).flat()

test.each(documents)('links of %s lead somewhere', async (path) => {
  const text = (await read(path)).replace(/```.*?```/gs, '')
  const links = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, link]) => link!)
  const broken: string[] = []
  for (const link of links.filter((target) => !/^\w+:/.test(target))) {
    await access(new URL(link, new URL(path, root))).catch(() => broken.push(link))
  }
  expect(broken).toEqual([])
})

test.each(documents)('commands that %s names exist', async (path) => {
  const { scripts } = JSON.parse(await read('package.json')) as { scripts: Record<string, string> }
  const named = [...(await read(path)).matchAll(/npm run ([\w:-]+)(?! -w| \S* -w)/g)].map(([, name]) => name!)
  expect(named.filter((name) => scripts[name] === undefined && name !== 'start')).toEqual([])
})

describe('examples do what they say', () => {
  const runnable = [
    'docs/custom-backend.md',
    'docs/custom-sampler.md',
    'docs/custom-transport.md',
    'packages/core/README.md',
    'packages/verifier/README.md',
    'packages/backend-tfjs/README.md',
  ]
  test.each(runnable)('%s', async (path) => {
    const [, example = ''] = /```js\n(.*?)```/s.exec(await read(path)) ?? []
    const flags = ['--conditions=@tensor-assay/source', '--import=tsx', '--input-type=module']
    const run = promisify(execFile)(process.execPath, [...flags, '--eval', example], { cwd: import.meta.dirname })
    const { stdout } = await run
    const [, expected = 'keeps the contract'] = /console\.log\(.*\) \/\/ (.*)$/m.exec(example) ?? []
    expect(stdout).toContain(expected)
  })
})
