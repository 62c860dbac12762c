import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { describe, expect, test } from 'vitest'

/** What a page downloads at most, gzipped bytes; the hashes and the CBOR codec are in it. */
const budgets = {
  '@tensor-assay/core': 74_000,
  '@tensor-assay/verifier': 84_000,
  '@tensor-assay/backend-tfjs': 7_000,
} as const

async function bundle(contents: string, external: string[] = []) {
  const result = await build({
    stdin: { contents, resolveDir: new URL('..', import.meta.url).pathname },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['@tensor-assay/source'],
    external,
    logLevel: 'silent',
  })
  const [output] = Object.values(result.metafile.outputs)
  return { bytes: gzipSync(result.outputFiles[0]!.contents).length, imports: output!.imports.map(({ path }) => path) }
}

describe('in a browser', () => {
  test.each(Object.entries(budgets))('%s needs nothing of Node and stays small', async (name, budget) => {
    const external = name === '@tensor-assay/backend-tfjs' ? ['@tensor-assay/core'] : []
    const { bytes, imports } = await bundle(`export * from '${name}'`, external)
    expect(imports.filter((path) => !external.includes(path))).toEqual([])
    expect(bytes).toBeLessThan(budget)
  })

  test('an import of Node is noticed', async () => {
    await expect(bundle(`export * from '@tensor-assay/transport-tcp'`)).rejects.toThrow('node:')
  })
})
