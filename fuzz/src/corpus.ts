import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from './damage.ts'

const folder = new URL('../corpus/', import.meta.url)

/**
 * Saved inputs of a target, each of which runs code that none of the others does: one file, because a few thousand files
 * of a few bytes help nobody. Each input is behind its length (u32, little-endian).
 */
export async function loadCorpus(target: string): Promise<Uint8Array[]> {
  let file: Uint8Array
  try {
    file = await readFile(new URL(`${target}.corpus`, folder))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  const inputs: Uint8Array[] = []
  for (let offset = 0; offset < file.length; ) {
    const end = offset + 4 + new DataView(file.buffer, file.byteOffset).getUint32(offset, true)
    inputs.push(file.slice(offset + 4, end))
    offset = end
  }
  return inputs
}

/** Shortest first, so that a saved corpus changes as little as what is in it. */
export async function saveCorpus(target: string, inputs: readonly Uint8Array[]): Promise<void> {
  const ordered = [...inputs].sort((a, b) => a.length - b.length || Buffer.compare(a, b))
  const parts = ordered.flatMap((input) => [new Uint8Array(Uint32Array.of(input.length).buffer), input])
  await mkdir(folder, { recursive: true })
  await writeFile(new URL(`${target}.corpus`, folder), join(...parts))
}
