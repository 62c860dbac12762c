import { expect, test } from 'vitest'
import { bundle } from './support/bundle.ts'

test('a bundle for browsers has nothing of Node and nothing of ws in it', async () => {
  const { code, metafile } = await bundle('./page.ts')
  const inputs = Object.keys(metafile.inputs)
  expect(inputs).toContain('packages/transport-ws/src/browser.ts')
  expect(inputs.filter((input) => /node_modules\/ws\/|src\/(node-link|dial|listen|tls)\.ts/.test(input))).toEqual([])
  // Core asks a runtime for its modules by name, at run time, and does without.
  expect(code).not.toMatch(/\b(from|import)\b[\s(]*["']node:/)
  expect(code).not.toMatch(/\brequire\(/)
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports)
  expect(imports.filter(({ external, path }) => external === true || /^(node:|ws$)/.test(path))).toEqual([])
})
