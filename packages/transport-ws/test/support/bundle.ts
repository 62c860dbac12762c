import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** Bundles a module of the tests as an application for browsers would be. */
export async function bundle(entry: string) {
  const { outputFiles, metafile } = await build({
    absWorkingDir: fileURLToPath(new URL('../../../..', import.meta.url)),
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'browser',
    format: 'esm',
    conditions: ['@tensor-assay/source'],
    logLevel: 'silent',
  })
  return { code: outputFiles[0]!.text, metafile }
}
