import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { AssayError } from '@tensor-assay/core'
import type { ModelSource } from '../source.ts'

/** Bytes read at once where fewer are asked for: the head of a tensor, some nodes. */
const pieceBytes = 16_384

/** Node refuses to read 2 GiB or more in one call. */
const maxReadBytes = 2 ** 30

/** A model file that is open for reading in pieces. */
export interface OpenedFile extends ModelSource, Disposable {
  close(): void
}

/**
 * Opens a regular file of any size. Views of it stay valid after it is closed; new ones are refused with
 * `weights-unreadable`.
 *
 * @throws {AssayError} `weights-unreadable` if there is no readable regular file at `path`.
 */
export function openFile(path: string): OpenedFile {
  let descriptor: number
  try {
    descriptor = openSync(path, 'r')
  } catch (cause) {
    throw unreadable(path, cause)
  }
  const stats = fstatSync(descriptor)
  if (!stats.isFile()) {
    closeSync(descriptor)
    throw new AssayError('weights-unreadable', `${path}: expected a file, found something else`)
  }
  let isOpen = true
  let piece: Uint8Array = new Uint8Array(0)
  let pieceOffset = 0
  const file = {
    name: path,
    byteLength: stats.size,
    view(offset: number, length: number) {
      // The number of a closed file may be that of another one by now.
      if (!isOpen) throw new AssayError('weights-unreadable', `${path}: was read after it had been closed`)
      const inPiece = offset - pieceOffset
      if (inPiece >= 0 && inPiece + length <= piece.length) return piece.subarray(inPiece, inPiece + length)
      if (length >= pieceBytes) return read(descriptor, path, offset, length)
      // A new buffer each time, because views of the last one may still be in use.
      piece = read(descriptor, path, offset, Math.min(pieceBytes, stats.size - offset))
      pieceOffset = offset
      return piece.subarray(0, length)
    },
    close() {
      if (isOpen) closeSync(descriptor)
      isOpen = false
    },
    [Symbol.dispose]: () => file.close(),
  }
  return file
}

function read(descriptor: number, path: string, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let done = 0; done < length; ) {
    let count: number
    try {
      count = readSync(descriptor, bytes, done, Math.min(length - done, maxReadBytes), offset + done)
    } catch (cause) {
      throw unreadable(path, cause)
    }
    if (count === 0) {
      throw new AssayError(
        'model-malformed',
        `${path}: ends at byte ${offset + done}, expected ${offset + length}; it was changed while it was read`,
      )
    }
    done += count
  }
  return bytes
}

function unreadable(path: string, cause: unknown): AssayError {
  const { code, message } = cause as NodeJS.ErrnoException
  const problem = code === 'ENOENT' ? 'there is no such file' : `cannot be read (${code ?? message})`
  return new AssayError('weights-unreadable', `${path}: ${problem}`, { cause })
}
