import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AssayError, type AssayErrorCode, bytesPerElement, type Weight, weightDigest } from '@tensor-assay/core'
import { expect, onTestFinished } from 'vitest'
import type { LoadedWeights } from '../../src/index.ts'

/** The bytes of a typed array, as a view. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

/** A folder that goes with the test, holding `files`. */
export async function folderOf(files: Record<string, Uint8Array | string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weights-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
  return folder
}

/** A `.npy` file of `header`, written as it is, and `data`. */
export function npyFile(header: string, data: Uint8Array, major = 1): Uint8Array {
  const text = new TextEncoder().encode(header)
  const length = new Uint8Array(major === 1 ? 2 : 4)
  for (let i = 0; i < length.length; i++) length[i] = text.length >>> (8 * i)
  return concat(new Uint8Array([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, major, 0]), length, text, data)
}

export function npyHeader(descr: string, shape: readonly number[], fortranOrder = false): string {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
  return `{'descr': '${descr}', 'fortran_order': ${fortranOrder ? 'True' : 'False'}, 'shape': ${tuple}, }\n`
}

/** A `.safetensors` file of `header`, JSON text or a value, and `data`. */
export function safetensorsFile(header: unknown, data: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const length = new Uint8Array(8)
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true)
  return concat(length, text, data)
}

/** Expects `promise` to fail with an AssayError of `code` whose message matches. */
export async function expectError(promise: Promise<unknown>, code: AssayErrorCode, message: RegExp): Promise<void> {
  const error = await promise.then(
    () => expect.fail(`expected ${code}, but it was accepted`),
    (reason) => reason,
  )
  if (!AssayError.isInstance(error)) throw error
  expect({ code: error.code, message: error.message }).toEqual({ code, message: expect.stringMatching(message) })
}

/** What a weight promises: the size of its shape, and bytes with its digest on every read. */
export async function expectValid(weight: Weight): Promise<void> {
  const bytes = await weight.read()
  const count = weight.shape.reduce((product, dimension) => product * dimension, 1)
  expect(weight.byteLength).toBe(count * bytesPerElement[weight.dtype])
  expect(bytes.byteLength).toBe(weight.byteLength)
  expect(weightDigest(weight.dtype, bytes)).toBe(weight.digest)
}

/** The error that is allowed for a damaged file, or the store if the damage left a valid file. */
export async function storeOrError(load: () => Promise<LoadedWeights>): Promise<LoadedWeights | AssayErrorCode> {
  try {
    return await load()
  } catch (error) {
    if (AssayError.isInstance(error)) return error.code
    throw error
  }
}

export function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'))
}
