import { realpathSync } from 'node:fs'
import { isAbsolute, join, relative, sep } from 'node:path'
import { AssayError } from '@tensor-assay/core'
import { quoted } from '../errors.ts'
import type { OnnxTensor } from '../model.ts'
import { byteLengthOf } from '../read-tensor.ts'
import { openFile } from './file-source.ts'

/** A tensor's elements in a file beside its model. */
export interface ExternalPlace {
  /** Absolute, links followed. */
  readonly path: string
  readonly offset: number
  readonly length: number
}

/**
 * Where the elements of a tensor lie outside its model file.
 *
 * @param folder - The folder of the model. A location outside it is refused, also by way of a link.
 * @throws {AssayError} `model-malformed` if the location leads out of the folder, or the length is not that of the shape;
 *   `weights-unreadable` if there is no such file; `model-unsupported` for text and unknown types.
 */
export function externalPlace(folder: string, tensor: OnnxTensor): ExternalPlace {
  const { name, type, dims, data } = tensor
  if (data.kind !== 'external') throw new TypeError(`tensor ${quoted(name)} lies in its model's own file`)
  const byteLength = byteLengthOf(tensor)
  if (byteLength === undefined) {
    throw new AssayError('model-unsupported', `tensor ${quoted(name)} has elements of ${type ?? 'an unknown type'}`)
  }
  if (data.length !== undefined && data.length !== byteLength) {
    throw new AssayError(
      'model-malformed',
      `external tensor ${quoted(name)} of ${type} and shape [${dims}] takes ${byteLength} bytes, but has ${data.length}`,
    )
  }
  return { path: pathWithin(folder, data.location, name), offset: data.offset, length: byteLength }
}

/**
 * The elements of an external tensor, little-endian, row-major.
 *
 * @returns Not to be changed.
 * @throws {AssayError} As {@link externalPlace}, and `weights-truncated` if the file ends before the elements do.
 */
export function externalBytes(folder: string, tensor: OnnxTensor): Uint8Array {
  const { path, offset, length } = externalPlace(folder, tensor)
  const file = openFile(path)
  try {
    if (offset + length > file.byteLength) {
      throw new AssayError(
        'weights-truncated',
        `${path}: tensor ${quoted(tensor.name)} ends at byte ${offset + length}, but there are only ${file.byteLength}; ` +
          'copy or download it again',
      )
    }
    return file.view(offset, length)
  } finally {
    file.close()
  }
}

function pathWithin(folder: string, location: string, name: string): string {
  const outside = () =>
    new AssayError(
      'model-malformed',
      `external tensor ${quoted(name)} lies at ${quoted(location)}, outside the folder of its model`,
    )
  // Windows reads both slashes, so a backslash is never just part of a name.
  if (isAbsolute(location) || location.includes('\0') || location.split(/[/\\]/).includes('..')) throw outside()
  let root: string
  let path: string
  try {
    root = realpathSync(folder)
    path = realpathSync(join(folder, location))
  } catch (cause) {
    throw new AssayError(
      'weights-unreadable',
      `${join(folder, location)}: the elements of tensor ${quoted(name)} should be here, but there is no such file`,
      { cause },
    )
  }
  const way = relative(root, path)
  if (way === '' || way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way)) throw outside()
  return path
}
