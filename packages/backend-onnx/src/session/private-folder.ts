import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder that only this user can look into, for files that hold a model. */
export interface PrivateFolder {
  readonly path: string
  /** Removes it with everything in it. What cannot be removed yet, on Windows a file in use, is when the process ends. */
  remove(): void
}

/** @param parent - Existing folder; the system's temporary one by default. */
export function privateFolder(parent: string = tmpdir()): PrivateFolder {
  // mkdtemp gives it to nobody else: mode 0700.
  const path = mkdtempSync(join(parent, 'tensor-assay-'))
  const removeNow = () => rmSync(path, { recursive: true, force: true, maxRetries: 2 })
  leftovers.add(removeNow)
  if (leftovers.size === 1) process.on('exit', removeLeftovers)
  return {
    path,
    remove() {
      try {
        removeNow()
      } catch {
        return
      }
      leftovers.delete(removeNow)
      if (leftovers.size === 0) process.off('exit', removeLeftovers)
    },
  }
}

const leftovers = new Set<() => void>()

function removeLeftovers(): void {
  for (const remove of leftovers) {
    try {
      remove()
    } catch {
      // The process is ending, and there is nobody left to tell.
    }
  }
}
