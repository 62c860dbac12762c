import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Verdict } from '@tensor-assay/core'
import { Complaint } from './complaint.ts'

/**
 * Keeps verdicts as files of JSON, named for their sessions.
 *
 * @throws {Complaint} If there can be no such folder.
 */
export async function verdictFolder(path: string): Promise<(verdict: Verdict) => Promise<void>> {
  try {
    await mkdir(path, { recursive: true })
  } catch (error) {
    throw new Complaint(`--out must be a folder, ${path} cannot be one: ${(error as Error).message}`)
  }
  let unopened = 0
  return async (verdict) => {
    // A prover that left before a session was opened has none.
    const name = verdict.session === '' ? `unopened-${process.pid}-${unopened++}` : verdict.session
    const file = join(path, `${name}.json`)
    try {
      await writeFile(file, `${JSON.stringify(verdict, null, 2)}\n`, { flag: 'wx' })
    } catch (error) {
      throw new Complaint(`the verdict cannot be written: ${(error as Error).message}`)
    }
  }
}
