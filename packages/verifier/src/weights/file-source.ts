import { open, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { AssayError } from '@tensor-assay/core'
import { type ByteSource, truncated, unreadable } from './byte-source.ts'

/** Node refuses to read 2 GiB or more in one call. */
const maxReadBytes = 2 ** 30

/**
 * A source over a regular file, of any size. It is opened for each read and never kept open.
 *
 * @throws {AssayError} `weights-unreadable` if there is no readable regular file at `path`.
 */
export async function fileSource(path: string): Promise<ByteSource> {
  const stats = await stat(path).catch((cause) => {
    throw unopenable(path, cause)
  })
  // A pipe or a device would block or never end.
  if (!stats.isFile()) throw unreadable(path, `expected a file, found ${stats.isDirectory() ? 'a folder' : 'a device'}`)
  // Reads happen later, when the process may have changed its working folder.
  const absolute = resolve(path)
  return {
    name: path,
    byteLength: stats.size,
    read: (offset, length) => readRange(absolute, offset, length),
  }
}

async function readRange(path: string, offset: number, length: number): Promise<Uint8Array> {
  const file = await open(path, 'r').catch((cause) => {
    throw unopenable(path, cause)
  })
  try {
    const available = (await file.stat()).size
    if (offset + length > available) throw truncated(path, 'the range read', offset + length, available)
    const bytes = new Uint8Array(length)
    for (let done = 0; done < length; ) {
      const { bytesRead } = await file.read(bytes, done, Math.min(length - done, maxReadBytes), offset + done)
      if (bytesRead === 0) throw truncated(path, 'the range read', offset + length, offset + done)
      done += bytesRead
    }
    return bytes
  } catch (cause) {
    throw AssayError.isInstance(cause) ? cause : unopenable(path, cause)
  } finally {
    await file.close()
  }
}

function unopenable(path: string, cause: unknown): AssayError {
  const { code, message } = cause as NodeJS.ErrnoException
  return unreadable(path, code === 'ENOENT' ? 'there is no such file' : `cannot be read (${code ?? message})`, cause)
}
