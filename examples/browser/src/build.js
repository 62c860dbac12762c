// Builds both pages: node src/build.js [folder, dist unless given]
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * @param {string} outDir
 * @param {readonly string[]} [conditions] Conditions of exports to prefer.
 */
export async function buildPages(outDir, conditions = []) {
  /** @type {import('vite').InlineConfig} */
  const shared = {
    root,
    configFile: false,
    logLevel: 'warn',
    base: './',
    resolve: { conditions: [...conditions, 'browser', 'module', 'import', 'default'] },
  }
  const input = (/** @type {string} */ page) => ({ rolldownOptions: { input: join(root, page) } })
  await build({
    ...shared,
    build: { outDir, emptyOutDir: true, chunkSizeWarningLimit: 2000, target: 'es2023', ...input('prover.html') },
  })
  const apart = join(outDir, 'verifier')
  await build({
    ...shared,
    publicDir: false,
    build: {
      outDir: apart,
      emptyOutDir: true,
      modulePreload: false,
      chunkSizeWarningLimit: 2000,
      target: 'es2023',
      ...input('verifier.html'),
    },
  })
  await writeFile(join(outDir, 'verifier.html'), await inlined(apart))
  await rm(apart, { recursive: true })
}

/**
 * One file that works from a disk: pages that are opened from there may not load scripts. Its policy forbids it to
 * fetch or send anything.
 *
 * @param {string} folder
 */
async function inlined(folder) {
  const read = (/** @type {string} */ path) => readFile(join(folder, path), 'utf8')
  let html = await read('verifier.html')
  const style = /<link rel="stylesheet"[^>]*href="([^"]*)"[^>]*>/.exec(html)
  const script = /<script type="module"[^>]*src="([^"]*)"[^>]*><\/script>/.exec(html)
  if (!style?.[1] || !script?.[1]) throw new Error('expected a style sheet and a script in verifier.html')
  const css = await read(style[1])
  // In a script element only this would end it.
  const code = (await read(script[1])).replaceAll('</script', '<\\/script')
  const policy =
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
  // Replacements are functions, because $ means something in text.
  html = html.replace(style[0], () => `<style>${css}</style>`)
  html = html.replace(script[0], () => '')
  html = html.replace(
    '<meta charset="utf-8">',
    (tag) => `${tag}<meta http-equiv="Content-Security-Policy" content="${policy}">`,
  )
  return html.replace('</body>', () => `<script type="module">${code}</script></body>`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildPages(resolve(process.argv[2] ?? join(root, 'dist')))
