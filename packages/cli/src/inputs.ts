import { readFile, stat } from 'node:fs/promises'
import {
  AssayError,
  type Calibration,
  type Identity,
  type Manifest,
  parseCalibration,
  parseManifest,
} from '@tensor-assay/core'
import { identityFile } from '@tensor-assay/core/node'
import { combineWeights, type LoadedWeights, weights } from '@tensor-assay/verifier'
import { Complaint } from './complaint.ts'
import { unheldWeights } from './manifest-weights.ts'

/** A manifest of 100 000 operations has less, bytes. */
const maxManifestBytes = 256 * 2 ** 20

/** What was measured of some hundred shapes has less, bytes. */
const maxCalibrationBytes = 4 * 2 ** 20

/** As much as a receipt may have, bytes. */
const maxReceiptBytes = 2 ** 31 - 1

/** PEM files, bytes. */
const maxPemBytes = 2 ** 20

/** @throws {AssayError} The message names the file. */
export async function loadWeights(paths: readonly string[]): Promise<LoadedWeights> {
  const stores = []
  for (const path of paths) stores.push(await weights(path))
  return combineWeights(...stores)
}

export async function loadManifest(path: string): Promise<Manifest> {
  return parsed(path, 'manifest', maxManifestBytes, parseManifest)
}

export async function loadCalibration(path: string): Promise<Calibration> {
  return parsed(path, 'calibration', maxCalibrationBytes, parseCalibration)
}

/** @throws {AssayError} The message names the file. */
async function parsed<T>(path: string, what: string, maxBytes: number, parse: (json: string) => T): Promise<T> {
  const json = (await readBounded(path, what, maxBytes)).toString('utf8')
  try {
    return parse(json)
  } catch (error) {
    if (AssayError.isInstance(error)) throw new AssayError(error.code, `${path}: ${error.message}`, { cause: error })
    throw error
  }
}

/**
 * A manifest to hold sessions against.
 *
 * @throws {Complaint} If it names weights that the store lacks: every prover would fail, the honest ones as well.
 */
export async function loadManifestOf(path: string, store: LoadedWeights): Promise<Manifest> {
  const manifest = await loadManifest(path)
  const [missing, ...more] = unheldWeights(manifest, store)
  if (missing === undefined) return manifest
  const others = more.length === 0 ? '' : ` and ${more.length} more`
  throw new Complaint(`${path} names the weight ${missing}${others}, which no file of --weights has; add its file`)
}

/** @throws {Complaint} If there is none: a mistyped name must not become a new identity. */
export async function loadIdentity(path: string): Promise<Identity> {
  if (await exists(path)) return identityFile(path)
  throw new Complaint(`there is no key file ${path}; assay identity ${path} makes one`)
}

export async function loadReceipt(path: string): Promise<Uint8Array> {
  const { buffer, byteOffset, byteLength } = await readBounded(path, 'receipt', maxReceiptBytes)
  // Not a Buffer, whose slices are no copies: whoever parses bytes may count on them.
  return new Uint8Array(buffer, byteOffset, byteLength)
}

export async function loadPem(path: string, what: string): Promise<Buffer> {
  return readBounded(path, what, maxPemBytes)
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
  )
}

async function readBounded(path: string, what: string, maxBytes: number): Promise<Buffer> {
  let size: number
  try {
    const stats = await stat(path)
    if (!stats.isFile()) throw new Complaint(`expected a ${what} file, ${path} is a folder or a device`)
    size = stats.size
    if (size <= maxBytes) return await readFile(path)
  } catch (error) {
    if (error instanceof Complaint) throw error
    const { code, message } = error as NodeJS.ErrnoException
    throw new Complaint(
      code === 'ENOENT' ? `there is no ${what} file ${path}` : `the ${what} file ${path} cannot be read: ${message}`,
    )
  }
  throw new Complaint(`the ${what} file ${path} has ${size} bytes, of at most ${maxBytes}`)
}
