import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A folder that goes with the test, holding `files`. */
export function folderOf(files: Readonly<Record<string, Uint8Array>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'backend-onnx-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  return folder
}

/** Has this process put its temporary files into `folder` until the test ends. */
export function temporaryFilesIn(folder: string): void {
  const before = process.env.TMPDIR
  process.env.TMPDIR = folder
  onTestFinished(() => {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
  })
}
