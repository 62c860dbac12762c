import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Complaint } from './complaint.ts'

/** Where a library that `assay` does not bring may be installed. */
export interface InstalledLibrary {
  /** What requiring it gives. */
  readonly exports: unknown
  readonly version: string
  /** Path of its `package.json`. */
  readonly packageFile: string
}

/**
 * A library that `assay` does not bring: the one that programs in the current folder use, or else the one that is installed
 * beside `assay`.
 *
 * @throws {Complaint} If there is none.
 */
export function library(name: string): InstalledLibrary {
  for (const place of [join(process.cwd(), '/'), import.meta.url]) {
    const require = createRequire(place)
    let packageFile: string
    try {
      packageFile = require.resolve(`${name}/package.json`)
    } catch {
      continue
    }
    const { version } = require(packageFile) as { version: string }
    return { exports: require(name), version, packageFile }
  }
  throw new Complaint(`this needs ${name}, which is not installed here: npm install ${name}`)
}
