import { writeFile } from 'node:fs/promises'
import { Complaint } from './complaint.ts'
import { exists } from './inputs.ts'

/**
 * Where a result goes: a file that is not there yet, because what others have pinned is not to be written over.
 *
 * @throws {Complaint} If there is one.
 */
export async function newFile(path: string): Promise<(content: string) => Promise<void>> {
  const taken = () => new Complaint(`${path} is there already; remove it or give another name to --out`)
  if (await exists(path)) throw taken()
  return async (content) => {
    try {
      await writeFile(path, content, { flag: 'wx' })
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      throw code === 'EEXIST' ? taken() : new Complaint(`${path} cannot be written: ${message}`)
    }
  }
}
