import { bytesPerElement, type DType, decodeElements, dtypes } from '@tensor-assay/core'
import {
  Attributes,
  byteLengthOf,
  dequantiseBlocks,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
} from '@tensor-assay/onnx-model'
import { elementCount } from '../shape.ts'

/** A tensor that a model fixes: it is in the file, or nodes make it of such. */
export interface Constant {
  readonly dtype: DType
  readonly dims: readonly number[]
  /** The elements, little-endian, row-major; computed anew on every call. */
  bytes(): Uint8Array
}

export interface NamedConstant extends Constant {
  readonly name: string
}

/** Reads the elements of a tensor of the file, wherever they lie. */
export type ReadTensor = (tensor: OnnxTensor) => Uint8Array

/**
 * Everything that a graph computes of its weights alone by the steps that inference runtimes take ahead of the first run:
 * reordered, converted and dequantised weights, and normalisations folded into convolutions. Computed as ONNX Runtime does,
 * in float32, so that the digests agree.
 */
export function derivedConstants(model: OnnxModel, read: ReadTensor): NamedConstant[] {
  const known = new Map<string, Constant>()
  const foldable = new Map<string, Foldable>()
  const derived: NamedConstant[] = []
  for (const [name, tensor] of model.graph.initializers) {
    const constant = constantOf(tensor, read)
    if (constant === undefined) continue
    known.set(name, constant)
    // Where there is no 16-bit arithmetic, weights are converted ahead of the first run.
    if (constant.dtype === 'float16' || constant.dtype === 'bfloat16') derived.push({ name, ...asFloat32(constant) })
  }
  for (const node of model.graph.nodes) {
    const attributes = new Attributes(model, node)
    const constant = node.domain === '' ? fold(node, attributes, known, read) : undefined
    const [output = ''] = node.outputs
    if (constant) {
      known.set(output, constant)
      derived.push({ name: output, ...constant })
    }
    for (const extra of sideways(node, attributes, known, foldable))
      derived.push({ ...extra, name: `${output}/${extra.name}` })
  }
  return derived
}

/** A product by weights, into which what comes behind it may be folded. */
interface Foldable {
  readonly filters: Constant
  readonly bias: Constant | undefined
  /** Of the filters: where the channels of the product are. */
  readonly axis: number
  readonly isConvolution: boolean
  /** What was folded into it so far. */
  readonly folds: number
}

/** Each one is computed anew for the next: real models have two or three. */
const maxFolds = 8

/** A tensor of the file. @returns Undefined for an element type that no product has. */
export function constantOf(tensor: OnnxTensor, read: ReadTensor): Constant | undefined {
  const { type, dims } = tensor
  if (type === undefined || byteLengthOf(tensor) === undefined) return undefined
  if (type === 'int4' || type === 'uint4') {
    const signed = type === 'int4'
    return { dtype: signed ? 'int8' : 'uint8', dims, bytes: () => nibbles(read(tensor), elementCount(dims), signed) }
  }
  return isDType(type) ? { dtype: type, dims, bytes: () => read(tensor) } : undefined
}

/** Elements of 4 bits, the first in the lowest, as bytes. */
function nibbles(packed: Uint8Array, count: number, signed: boolean): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => {
    const nibble = (packed[i >> 1]! >> (4 * (i & 1))) & 15
    return signed && nibble > 7 ? nibble - 16 : nibble
  })
}

function isDType(type: string): type is DType {
  return (dtypes as readonly string[]).includes(type)
}

/** A node that makes one constant of others. */
function fold(
  node: OnnxNode,
  attributes: Attributes,
  known: ReadonlyMap<string, Constant>,
  read: ReadTensor,
): Constant | undefined {
  if (node.opType === 'Constant') {
    const value = node.attributes.get('value')
    return value?.kind === 'tensor' ? constantOf(value.value, read) : undefined
  }
  const [x, second, third] = node.inputs.map((name) => known.get(name))
  if (x === undefined) return undefined
  switch (node.opType) {
    case 'Identity':
    case 'Reshape':
    case 'Squeeze':
    case 'Unsqueeze':
    case 'Flatten':
      // The digest leaves the shape out, so the bytes are all that counts.
      return { ...x, dims: [elementCount(x.dims)] }
    case 'Transpose':
      return transposed(
        x,
        attributes.ints(
          'perm',
          x.dims.map((_, i) => x.dims.length - 1 - i),
        ),
      )
    case 'Cast':
      // 1: float32. Others are not what products are stated in.
      return attributes.int('to', 0) === 1 ? asFloat32(x) : undefined
    case 'DequantizeLinear':
      return second && dequantised(x, second, third, attributes)
    default:
      return undefined
  }
}

/** Constants that a runtime makes of a node's weights and puts in their place. */
function* sideways(
  node: OnnxNode,
  attributes: Attributes,
  known: ReadonlyMap<string, Constant>,
  foldable: Map<string, Foldable>,
): Generator<NamedConstant> {
  const input = (index: number) => known.get(node.inputs[index] ?? '')
  if (node.opType === 'MatMulNBits') {
    const matrix = unpacked(attributes, input(1), input(2), input(3), node.inputs[3])
    if (matrix) yield { ...matrix, name: 'dequantised' }
    return
  }
  if (node.opType === 'MatMul' || node.opType === 'Gemm') {
    const b = input(1)
    // Runtimes may lay a weight out the other way round.
    if (b && b.dims.length === 2) yield { ...transposed(b, [1, 0]), name: 'transposed' }
  }
  const parts = [1, 2, 3, 4].map(input)
  const isNormalising = node.opType === 'BatchNormalization' && parts.every((part) => part?.dtype === 'float32')
  const epsilon = attributes.float('epsilon', 1e-5)
  if (isNormalising) {
    // By itself it becomes a convolution of its own, by filters of one element.
    const { dims } = parts[0]!
    const ones = float32([dims[0] ?? 1, 1, 1, 1], () => new Float32Array(elementCount(dims)).fill(1))
    const alone = normalised(
      { filters: ones, bias: undefined, axis: 0, isConvolution: true, folds: 0 },
      parts as Constant[],
      epsilon,
    )
    yield { ...alone.filters, name: 'filters of its own' }
    yield { ...alone.bias!, name: 'bias of its own' }
  }
  const [output = ''] = node.outputs
  if (node.opType === 'Conv' || node.opType === 'MatMul') {
    const filters = input(1)
    const bias = input(2)
    if (filters === undefined || (node.inputs[2] && bias === undefined)) return
    const isConvolution = node.opType === 'Conv'
    // The channels of filters come first, those of a matrix last.
    foldable.set(output, { filters, bias, axis: isConvolution ? 0 : filters.dims.length - 1, isConvolution, folds: 0 })
    return
  }
  const before = foldable.get(node.inputs[0] ?? '')
  if (before === undefined || before.folds === maxFolds) return
  const folded = isNormalising
    ? normalised(before, parts as Constant[], epsilon)
    : before.isConvolution
      ? combined(node, before, input(1))
      : undefined
  if (folded === undefined) return
  // One after the other, each is folded into what the one before made.
  foldable.set(output, { ...folded, folds: before.folds + 1 })
  if (folded.filters !== before.filters) yield { ...folded.filters, name: 'filters' }
  if (folded.bias && folded.bias !== input(1)) yield { ...folded.bias, name: 'bias' }
}

/** A factor or a term for each channel behind a convolution. */
function combined({ opType }: OnnxNode, before: Foldable, other: Constant | undefined): Foldable | undefined {
  if (other?.dtype !== 'float32') return undefined
  const { filters, bias } = before
  if (opType === 'Mul') {
    const scaled = (x: Constant) => mapped(x, (value, channel, s) => value * s(channel), other)
    return { ...before, filters: scaled(filters), bias: bias && scaled(bias) }
  }
  if (opType !== 'Add') return undefined
  return { ...before, bias: bias ? mapped(bias, (value, channel, add) => value + add(channel), other) : other }
}

const { fround } = Math

function floats(constant: Constant): Float32Array {
  return Float32Array.from(decodeElements(constant.bytes(), constant.dtype))
}

function float32(dims: readonly number[], make: () => Float32Array): Constant {
  return { dtype: 'float32', dims, bytes: () => new Uint8Array(make().buffer) }
}

function asFloat32(x: Constant): Constant {
  return x.dtype === 'float32' ? x : float32(x.dims, () => floats(x))
}

function transposed(x: Constant, perm: readonly number[]): Constant {
  const dims = perm.map((axis) => x.dims[axis] ?? 0)
  return {
    dtype: x.dtype,
    dims,
    bytes() {
      const size = bytesPerElement[x.dtype]
      const from = x.bytes()
      const to = new Uint8Array(from.length)
      const strides = x.dims.map((_, axis) => elementCount(x.dims.slice(axis + 1)))
      const index = new Array<number>(dims.length).fill(0)
      let source = 0
      for (let target = 0; target < to.length; target += size) {
        for (let byte = 0; byte < size; byte++) to[target + byte] = from[source * size + byte]!
        for (let axis = dims.length - 1; axis >= 0; axis--) {
          const stride = strides[perm[axis]!]!
          index[axis]!++
          source += stride
          if (index[axis]! < dims[axis]!) break
          source -= stride * dims[axis]!
          index[axis] = 0
        }
      }
      return to
    },
  }
}

/** (x − zero)·scale in float32, per tensor, along an axis, or in blocks along one. */
function dequantised(
  x: Constant,
  scale: Constant,
  zeroPoint: Constant | undefined,
  attributes: Attributes,
): Constant | undefined {
  if (scale.dtype !== 'float32') return undefined
  const axis = attributes.int('axis', 1)
  const block = attributes.int('block_size', 0)
  const dim = axis < 0 ? axis + x.dims.length : axis
  const perTensor = elementCount(scale.dims) === 1
  if (!perTensor && (dim < 0 || dim >= x.dims.length)) return undefined
  const size = x.dims[dim] ?? 1
  const inner = elementCount(x.dims.slice(dim + 1))
  const blocks = block === 0 ? size : Math.ceil(size / block)
  const expected = perTensor ? 1 : block === 0 ? size : elementCount(x.dims.slice(0, dim)) * blocks * inner
  if (elementCount(scale.dims) !== expected) return undefined
  return float32(x.dims, () => {
    const values = decodeElements(x.bytes(), x.dtype)
    const scales = floats(scale)
    const zeros = zeroPoint && decodeElements(zeroPoint.bytes(), zeroPoint.dtype)
    return Float32Array.from(values, (value, i) => {
      const along = Math.floor(i / inner) % size
      const outer = Math.floor(i / (inner * size))
      const at = perTensor
        ? 0
        : block === 0
          ? along
          : (outer * blocks + Math.floor(along / block)) * inner + (i % inner)
      return fround(value - (zeros?.[at] ?? 0)) * scales[at]!
    })
  })
}

function unpacked(
  attributes: Attributes,
  packed: Constant | undefined,
  scales: Constant | undefined,
  zeroPoints: Constant | undefined,
  zeroPointName: string | undefined,
): Constant | undefined {
  if (packed?.dtype !== 'uint8' || scales === undefined || (zeroPointName && zeroPoints === undefined)) return undefined
  const k = attributes.int('K', 0)
  const n = attributes.int('N', 0)
  const shape = { k, n, bits: attributes.int('bits', 4), blockSize: attributes.int('block_size', 0) }
  return float32([n, k], () =>
    dequantiseBlocks(shape, {
      packed: packed.bytes(),
      scales: floats(scales),
      ...(zeroPoints && { zeroPoints: zeroPoints.dtype === 'uint8' ? zeroPoints.bytes() : floats(zeroPoints) }),
    }),
  )
}

/** A tensor combined with a vector of one value for each channel. @param axis - Of the channels. */
function mapped(
  x: Constant,
  combine: (value: number, channel: number, other: (channel: number) => number) => number,
  other: Constant,
  axis = 0,
): Constant {
  return float32(x.dims, () => {
    const values = floats(x)
    const others = floats(other)
    const inner = elementCount(x.dims.slice(axis + 1))
    const channels = x.dims[axis] ?? 1
    const at = (channel: number) => others[others.length === 1 ? 0 : channel] ?? Number.NaN
    return values.map((value, i) => combine(value, Math.floor(i / inner) % channels, at))
  })
}

/** A normalisation behind a product: W·s and (b − mean)·s + B, s = scale/√(variance + ε). */
function normalised(before: Foldable, [scale, shift, mean, variance]: readonly Constant[], epsilon: number): Foldable {
  const { filters, bias, axis } = before
  const factor = float32(scale!.dims, () => {
    const scales = floats(scale!)
    return floats(variance!).map((value, i) => scales[i]! / fround(Math.sqrt(fround(value + fround(epsilon)))))
  })
  const shifted = float32(shift!.dims, () => {
    const [factors, shifts, means] = [floats(factor), floats(shift!), floats(mean!)]
    const biases = bias && floats(bias)
    return shifts.map((value, i) => {
      if (biases === undefined) return value - fround(means[i]! * factors[i]!)
      return fround(fround(biases[i]! - means[i]!) * factors[i]!) + value
    })
  })
  return { ...before, filters: mapped(filters, (value, channel, s) => value * s(channel), factor, axis), bias: shifted }
}
