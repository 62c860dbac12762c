import { decodeElements } from '@tensor-assay/core'
import { dequantiseBlocks } from '@tensor-assay/onnx-model'
import { unblockFilters } from '../graph/blocked-filters.ts'
import type { PlannedProduct } from '../graph/plan.ts'
import type { Statement } from '../graph/statement.ts'
import type { RunValues } from '../session/session-observer.ts'
import type { TapTensor } from '../taps/tap-tensor.ts'

interface Problem {
  readonly reason: string
}

/** Weights that ONNX Runtime laid out anew, as the model has them: once for each of them and each way of reading it. */
const restored = new WeakMap<TapTensor, Map<string, TapTensor>>()

/** @returns B as the model has it: the same object for the same B. Or why it cannot be read. */
export function rightTensor(planned: PlannedProduct, run: RunValues): TapTensor | Problem {
  const { statement } = planned
  const { b } = statement
  const source = run.operand(planned, 'b')
  if (source === undefined) return { reason: `B, ${b.value}, cannot be read` }
  if (b.kind === 'value') return source
  if (b.kind === 'packed-blocks') {
    const way = JSON.stringify([b.scales, b.zeroPoints])
    return remembered(source, way, () => unpacked(b, source, run))
  }
  const groups = statement.form.kind === 'convolution' ? statement.form.groups : 1
  const inChannels = (run.operand(planned, 'a')?.dims[1] ?? 0) / groups
  const channels = [b.outChannels, inChannels] as const
  return remembered(source, channels.join(), () => unblocked(source, groups, channels, run.filterBlock))
}

/**
 * The bias of a statement. Where filters were filled up to whole blocks, so was the bias.
 */
export function biasTensor({ b }: Statement, bias: TapTensor): TapTensor {
  const [length = 0] = bias.dims
  if (b.kind !== 'blocked-filters' || bias.dims.length !== 1 || length <= b.outChannels) return bias
  const found = remembered(bias, String(b.outChannels), () => ({
    type: bias.type,
    dims: [b.outChannels],
    bytes: () => bias.bytes().subarray(0, (bias.bytes().length / length) * b.outChannels),
  }))
  return found as TapTensor
}

function remembered(source: TapTensor, way: string, make: () => TapTensor | Problem): TapTensor | Problem {
  let ways = restored.get(source)
  if (ways === undefined) {
    ways = new Map()
    restored.set(source, ways)
  }
  const known = ways.get(way)
  if (known !== undefined) return known
  const made = make()
  if (!('reason' in made)) ways.set(way, made)
  return made
}

function unblocked(
  source: TapTensor,
  groups: number,
  [outChannels, inChannels]: readonly [number, number],
  block: number,
): TapTensor | Problem {
  const [out = 0, declared = 0, ...space] = source.dims
  if (block === 0 || out < outChannels || declared < inChannels || !Number.isInteger(inChannels)) {
    return { reason: 'filters in an unknown order' }
  }
  const bytes = unblockFilters(source.bytes(), source.dims, groups, outChannels, inChannels, block)
  return { type: 'float32', dims: [outChannels, inChannels, ...space], bytes: () => bytes }
}

function unpacked(
  b: Extract<Statement['b'], { kind: 'packed-blocks' }>,
  source: TapTensor,
  run: RunValues,
): TapTensor | Problem {
  const scales = run.value(b.scales)
  const zeroPoints = b.zeroPoints === undefined ? undefined : run.value(b.zeroPoints)
  if (scales?.type !== 'float32' || (b.zeroPoints !== undefined && zeroPoints === undefined)) {
    return { reason: 'scales or zero points of weights in blocks that cannot be read' }
  }
  const floats = (tensor: TapTensor) => decodeElements(tensor.bytes(), 'float32') as Float32Array
  const matrix = dequantiseBlocks(b, {
    packed: source.bytes(),
    scales: floats(scales),
    ...(zeroPoints && { zeroPoints: zeroPoints.type === 'uint8' ? zeroPoints.bytes() : floats(zeroPoints) }),
  })
  return { type: 'float32', dims: [b.n, b.k], bytes: () => new Uint8Array(matrix.buffer) }
}
