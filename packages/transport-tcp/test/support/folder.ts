import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** A folder for sockets, removed after the tests of the file. */
export function socketFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'assay-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
