import { mkdir, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bytesSource, fileSource } from '../../src/index.ts'
import { concatSource } from '../../src/weights/concat-source.ts'
import { expectError, folderOf } from './helpers.ts'

const bytes = Uint8Array.from({ length: 10 }, (_, i) => i)

describe.each([
  ['bytesSource', async () => bytesSource(bytes)],
  ['fileSource', async () => fileSource(join(await folderOf({ f: bytes }), 'f'))],
  [
    'concatSource',
    async () =>
      concatSource(
        'parts',
        [0, 3, 3, 10].map((end, i, ends) => bytesSource(bytes.slice(ends[i - 1] ?? 0, end))),
      ),
  ],
])('%s', (_, open) => {
  it('reads every range', async () => {
    const source = await open()
    expect(source.byteLength).toBe(10)
    for (let offset = 0; offset <= 10; offset++) {
      for (let end = offset; end <= 10; end++) {
        expect(await source.read(offset, end - offset)).toEqual(bytes.slice(offset, end))
      }
    }
  })

  it('gives out buffers of the caller', async () => {
    const source = await open()
    const first = await source.read(0, 10)
    first.fill(99)
    expect(await source.read(0, 10)).toEqual(bytes)
  })

  it('refuses a range past the end', async () => {
    const source = await open()
    await expectError(source.read(8, 3), 'weights-truncated', /ends at byte 11, but there are only 10 bytes/)
    await expectError(source.read(11, 0), 'weights-truncated', /ends at byte 11/)
  })
})

describe('fileSource', () => {
  it('says that there is no file', async () => {
    await expectError(
      fileSource('/nowhere/model.npy'),
      'weights-unreadable',
      /nowhere\/model.npy: there is no such file/,
    )
  })

  it('refuses what is not a regular file', async () => {
    const folder = await folderOf({})
    await mkdir(join(folder, 'model.npy'))
    await expectError(fileSource(join(folder, 'model.npy')), 'weights-unreadable', /expected a file, found a folder/)
    await expectError(fileSource('/dev/zero'), 'weights-unreadable', /expected a file, found a device/)
  })

  it('notices that the file has become shorter', async () => {
    const path = join(await folderOf({ f: bytes }), 'f')
    const source = await fileSource(path)
    await truncate(path, 4)
    await expectError(source.read(2, 4), 'weights-truncated', /ends at byte 6, but there are only 4 bytes/)
  })

  it('refuses a range before it allocates the memory for it', async () => {
    const path = join(await folderOf({ f: bytes }), 'f')
    await expectError((await fileSource(path)).read(0, 2 ** 52), 'weights-truncated', /only 10 bytes/)
  })
})
