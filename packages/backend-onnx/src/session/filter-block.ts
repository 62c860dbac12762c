import { encodeModel } from '@tensor-assay/onnx-model'
import { blockedDomain } from '../graph/blocked-graph.ts'
import type { CreateHandler } from '../ort/library.ts'
import { changedOptions } from '../ort/session-options.ts'

let block: Promise<number> | undefined

/**
 * Channels in a block of ONNX Runtime's blocked convolutions on this machine: 16 with AVX-512, else 8 on x64. Nothing tells,
 * so a model of one node is asked to put known numbers into blocks. The answer holds for the process.
 */
export function filterBlock(create: CreateHandler): Promise<number> {
  block ??= ask(create)
  return block
}

async function ask(create: CreateHandler): Promise<number> {
  const dims = [1, 64, 1, 2]
  const numbers = Float32Array.from({ length: 128 }, (_, i) => i)
  const model = encodeModel({
    irVersion: 8,
    opsets: { '': 17, [blockedDomain]: 1 },
    graph: {
      name: 'block',
      nodes: [{ name: 'block', opType: 'ReorderInput', domain: blockedDomain, inputs: ['x'], outputs: ['y'] }],
      initializers: [{ name: 'x', type: 'float32', dims, bytes: new Uint8Array(numbers.buffer) }],
      outputs: [{ name: 'y', type: 'float32', dims }],
    },
  })
  const handler = await create(model, changedOptions({}, { graphOptimizationLevel: 'disabled' }))
  const { y } = await handler.run({}, { y: null }, {})
  await handler.dispose()
  // The second position of the first channel, number 1, comes behind the first of all channels of the block.
  return (y!.data as Float32Array).indexOf(1)
}
