import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Feed, Numbers, type TestModel } from './writer.ts'

const folder = new URL('../../../../../shared/models/', import.meta.url)

const floats = (numbers: Numbers, dims: readonly number[]): Feed => ({
  type: 'float32',
  data: numbers.floats(dims.reduce((product, size) => product * size, 1)),
  dims,
})
const ints = (dims: readonly number[], value: (i: number) => number): Feed => ({
  type: 'int32',
  data: Int32Array.from({ length: dims.reduce((product, size) => product * size, 1) }, (_, i) => value(i)),
  dims,
})

function gpt2Feeds(numbers: Numbers): Record<string, Feed> {
  const [batch, length, past] = [2, 5, 3]
  const pasts = Array.from({ length: 5 }, (_, i) => [`past_${i}`, floats(numbers, [2, batch, 4, past, 8])] as const)
  return {
    input_ids: ints([batch, length], (i) => (i * 37) % 1000),
    position_ids: ints([batch, length], (i) => past + (i % length)),
    attention_mask: ints([batch, past + length], () => 1),
    ...Object.fromEntries(pasts),
  }
}

const feedsOf: Record<string, (numbers: Numbers) => Record<string, Feed>> = {
  'mnist.onnx': (numbers) => ({ Input3: floats(numbers, [1, 1, 28, 28]) }),
  'ez_multihead_attention.onnx': (numbers) => ({ input: floats(numbers, [3, 1, 16, 128]) }),
  'ga_gpt2.onnx': gpt2Feeds,
}

/** Public models that are kept beside the repository, not in it. Those that are not there are reported and left out. */
export function sharedModels(): TestModel[] {
  return Object.entries(feedsOf).flatMap(([name, feeds]) => {
    const path = fileURLToPath(new URL(name, folder))
    if (existsSync(path)) return [{ name, file: new Uint8Array(readFileSync(path)), feeds: feeds(new Numbers(50)) }]
    console.log(`skipped: there is no ${path}`)
    return []
  })
}
