import { AssayError, weightDigest } from '@tensor-assay/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytesSource, combineWeights, type LoadedWeights, readNpy, readSafetensors, readTfjs } from '../../src/index.ts'
import { weightStore } from '../../src/weights/store.ts'
import { bytesOf, expectValid, npyFile, npyHeader, safetensorsFile, storeOrError } from './helpers.ts'

interface Format {
  readonly name: string
  /** The files of one valid store, the one with the header first. */
  readonly files: readonly Uint8Array[]
  readonly load: (files: readonly Uint8Array[]) => Promise<LoadedWeights>
}

const data = bytesOf(new Float32Array([1, 2, 3, 4, 5, 6, 7, 8]))

const npy = (file: Uint8Array | undefined) =>
  readNpy(bytesSource(file!, 'w.npy')).then((weight) => weightStore([weight]))

const formats: Format[] = [
  {
    name: 'npy 1.0',
    files: [npyFile(npyHeader('<f4', [2, 4]), data)],
    load: ([file]) => npy(file),
  },
  {
    name: 'npy 2.0 in Fortran order',
    files: [npyFile(npyHeader('<f4', [2, 4], true), data, 2)],
    load: ([file]) => npy(file),
  },
  {
    name: 'safetensors',
    files: [
      safetensorsFile(
        {
          __metadata__: { format: 'pt' },
          a: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
          b: { dtype: 'BF16', shape: [4], data_offsets: [24, 32] },
        },
        data,
      ),
    ],
    load: ([file]) => readSafetensors(bytesSource(file!, 'm.safetensors')),
  },
  {
    name: 'tfjs',
    files: [
      new TextEncoder().encode(
        JSON.stringify({
          weightsManifest: [
            {
              paths: ['1.bin', '2.bin'],
              weights: [
                { name: 'a', shape: [2], dtype: 'float32' },
                { name: 'b', shape: [4], dtype: 'float32', quantization: { dtype: 'uint8', scale: 0.5, min: -1 } },
                { name: 'c', shape: [1], dtype: 'string' },
                { name: 'd', shape: [2, 2], dtype: 'float32', quantization: { dtype: 'float16' } },
              ],
            },
          ],
        }),
      ),
      data.slice(0, 10),
      new Uint8Array([9, 9, 2, 0, 0, 0, 65, 66, 0, 60, 0, 64, 0, 66, 0, 68]),
    ],
    load: ([json, one, two]) =>
      readTfjs(bytesSource(json!, 'model.json'), async (path) => {
        const shard = new Map([
          ['1.bin', one!],
          ['2.bin', two!],
        ]).get(path)
        if (shard === undefined) throw new AssayError('weights-unreadable', `${path}: there is no such file`)
        return bytesSource(shard, path)
      }),
  },
]

/** Every tensor of the original is accounted for and every weight keeps its promises. */
async function expectWhole(store: LoadedWeights, original: LoadedWeights): Promise<void> {
  expect(store.weights.length + store.skipped.length).toBe(original.weights.length + original.skipped.length)
  for (const weight of store.weights) await expectValid(weight)
}

describe.each(formats)('a damaged $name file', ({ files, load }) => {
  it('loads when it is not damaged', async () => {
    const store = await load(files)
    expect(store.weights.length).toBeGreaterThan(0)
    await expectWhole(store, store)
  })

  it('is refused when it ends early, wherever that is', async () => {
    for (const [i, file] of files.entries()) {
      for (let length = 0; length < file.length; length++) {
        const outcome = await storeOrError(() => load(files.with(i, file.slice(0, length))))
        expect(outcome, `file ${i} cut to ${length} bytes`).toMatch(/^weights-(truncated|unreadable)$/)
      }
    }
  })

  it('is refused when bytes follow it', async () => {
    for (const [i, file] of files.entries()) {
      const outcome = await storeOrError(() => load(files.with(i, new Uint8Array([...file, 0]))))
      // A byte more in a shard shifts what follows, which may then seem to be cut short.
      expect(outcome, `file ${i}`).toMatch(/^weights-(truncated|unreadable)$/)
    }
  })

  it('is refused or gives a whole store when any single bit flips', async () => {
    const original = await load(files)
    let accepted = 0
    let refused = 0
    for (const [i, file] of files.entries()) {
      for (let bit = 0; bit < file.length * 8; bit++) {
        const damaged = file.with(bit >> 3, file[bit >> 3]! ^ (1 << (bit & 7)))
        const outcome = await storeOrError(() => load(files.with(i, damaged)))
        if (typeof outcome === 'string') refused++
        else {
          accepted++
          await expectWhole(outcome, original)
        }
      }
    }
    expect(Math.min(accepted, refused)).toBeGreaterThan(0)
  })

  it('is refused or gives valid weights when bytes are removed, replaced and inserted', async () => {
    const edit = fc.record({
      at: fc.nat(),
      remove: fc.nat({ max: 4 }),
      insert: fc.oneof(
        fc.uint8Array({ maxLength: 4 }),
        fc.constantFrom(...'[]{}(),:"\'0192-eL').map((text) => new TextEncoder().encode(text)),
      ),
    })
    const index = fc.nat({ max: files.length - 1 })
    await fc.assert(
      fc.asyncProperty(index, fc.array(edit, { minLength: 1, maxLength: 3 }), async (i, edits) => {
        const bytes = [...files[i]!]
        for (const { at, remove, insert } of edits) bytes.splice(at % (bytes.length + 1), remove, ...insert)
        const outcome = await storeOrError(() => load(files.with(i, new Uint8Array(bytes))))
        if (typeof outcome !== 'string') for (const weight of outcome.weights) await expectValid(weight)
      }),
      { seed: 11, numRuns: 1000 },
    )
  })
})

describe('a weight among damaged data', () => {
  it('has another digest after any bit of its data flips', async () => {
    for (const { files, load } of formats.slice(0, 3)) {
      const original = await load(files)
      const file = files[0]!
      for (let bit = (file.length - data.length) * 8; bit < file.length * 8; bit++) {
        const store = await load([file.with(bit >> 3, file[bit >> 3]! ^ (1 << (bit & 7)))])
        const known = store.weights.filter(({ digest }) => original.find(digest) !== undefined)
        expect(known).toHaveLength(store.weights.length - 1)
      }
    }
  })

  it('is found by the digest of its bytes alone', async () => {
    const stores = await Promise.all(formats.slice(0, 2).map(({ files, load }) => load(files)))
    const combined = combineWeights(...stores)
    expect(combined.find(weightDigest('float32', data))).toBe(stores[0]!.weights[0])
    expect(combined.find(weightDigest('int32', data))).toBeUndefined()
  })
})
