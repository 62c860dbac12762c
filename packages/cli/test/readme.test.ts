import { readFile } from 'node:fs/promises'
import { parseManifest } from '@tensor-assay/core'
import { expect, test } from 'vitest'
import { runAssay, startServer } from './support/cli.ts'
import { prove, safetensors, writeManifest, writeReceipt } from './support/model.ts'
import { folderOfLibraries, onnxModel } from './support/onnx.ts'

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
const blocks = (language: string) =>
  [...readme.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'gs'))].map(([, block]) => block!)

/** The files that the commands name. */
async function folderOfReadme(): Promise<string> {
  const manifest = await writeManifest()
  return folderOfLibraries({
    'model.onnx': onnxModel(),
    'model.safetensors': safetensors(),
    'model.manifest': manifest,
    'run.receipt': await writeReceipt({
      iterations: 2 ** 20,
      manifest: parseManifest(manifest),
    }),
  })
}

/** Without what differs from run to run. */
const shape = (text: string) =>
  text
    .replace(/[0-9a-f]{64}/g, '#')
    .replace(/\s+/g, ' ')
    .trim()

test('every command does what the README says', async () => {
  const folder = await folderOfReadme()
  const lines = blocks('sh').flatMap((block) => block.trimEnd().split('\n'))
  expect(lines.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
    'assay serve',
    'assay identity',
    'assay serve',
    'assay verify',
    'assay manifest',
    'assay calibrate',
    'assay serve',
    'assay weights',
    'assay manifest',
  ])
  for (const line of lines) {
    const [, ...args] = line.split(' ')
    if (args[0] !== 'serve') {
      const { code, stdout, stderr } = await runAssay(args, folder)
      expect([line, code]).toEqual([line, 0])
      expect(stderr).not.toContain('assay')
      if (args[0] === 'verify') expect(shape(stdout)).toContain(shape(blocks('text')[0]!))
      continue
    }
    const server = await startServer(
      args.slice(1).map((arg) => arg.replace(':11234', ':0')),
      folder,
    )
    expect((await prove(server.address)).status).toBe('pass')
    if (!args.includes('--once')) {
      await server.stdoutHas(/PASS/)
      server.process.kill('SIGINT')
    }
    const { code, stdout } = await server.ended
    expect([line, code]).toEqual([line, 0])
    if (args.includes('--json')) expect(JSON.parse(stdout)).toMatchObject({ status: 'pass' })
  }
})
