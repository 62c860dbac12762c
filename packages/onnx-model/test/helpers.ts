import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { create, fromBinary, type Message, toBinary } from '@bufbuild/protobuf'
import { AssayError, type AssayErrorCode } from '@tensor-assay/core'
import { expect, onTestFinished } from 'vitest'
import { bytesSource, type OnnxModel, readModel } from '../src/index.ts'
import { messageOf } from './onnx-schema.ts'

/** A message as @bufbuild/protobuf encodes it; `value` has the schema's names in camel case. */
export function encode(type: string, value: object): Uint8Array {
  return toBinary(messageOf(type), create(messageOf(type), value as never))
}

/** A message as @bufbuild/protobuf decodes it. */
export function decode(type: string, bytes: Uint8Array): Message {
  return fromBinary(messageOf(type), bytes)
}

/** What lies within a message: fields by name, elements of a list by number. */
export function within(message: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce((at, key) => (at as Record<string | number, unknown>)[key], message)
}

/** A list within a message. */
export function listWithin(message: unknown, ...path: readonly (string | number)[]): unknown[] {
  return within(message, ...path) as unknown[]
}

export function read(bytes: Uint8Array): OnnxModel {
  return readModel(bytesSource(bytes, 'test.onnx'))
}

export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}

/** A folder that goes with the test, holding `files`. */
export function folderOf(files: Record<string, Uint8Array>): string {
  const folder = mkdtempSync(joinPath(tmpdir(), 'onnx-model-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [name, content] of Object.entries(files)) writeFileSync(joinPath(folder, name), content)
  return folder
}

/** Expects `body` to throw an AssayError of `code` whose message matches. */
export function expectError(body: () => unknown, code: AssayErrorCode, message: RegExp): void {
  let error: unknown
  try {
    body()
  } catch (thrown) {
    error = thrown
  }
  if (!AssayError.isInstance(error)) throw error ?? new Error(`expected ${code}, but it was accepted`)
  expect({ code: error.code, message: error.message }).toEqual({ code, message: expect.stringMatching(message) })
}
