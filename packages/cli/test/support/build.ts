import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll } from 'vitest'

const source = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/**
 * Makes one file of `assay` and all that it imports, from the sources of all packages, laid out as it is published:
 * `dist/main.js` under `package.json`. Dozens of processes start faster from it than from the sources themselves.
 *
 * @returns The path of the file, which goes with the tests of the file that asked for it.
 */
export async function buildAssay(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-build-'))
  afterAll(() => rm(folder, { recursive: true }))
  const outfile = join(folder, 'dist/main.js')
  await build({
    entryPoints: [source('src/main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    conditions: ['@tensor-assay/source'],
    // Packages in CommonJS ask for Node's modules by require().
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url)",
    },
    logLevel: 'error',
  })
  await copyFile(source('package.json'), join(folder, 'package.json'))
  return outfile
}
