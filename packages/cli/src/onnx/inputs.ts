import { encodeMatrix, type RandomStream } from '@tensor-assay/core'
import type * as OnnxRuntime from 'onnxruntime-node'
import { Complaint } from '../complaint.ts'
import { type InputChoices, nameOfDimension, type Range } from './input-options.ts'

/** What a session says of an input. */
export interface InputInfo {
  readonly name: string
  /** 'float32', 'int64', … */
  readonly type: string
  /** Sizes; names of those that are open, '' where they have none. */
  readonly shape: readonly (number | string)[]
}

export type Feeds = Record<string, OnnxRuntime.Tensor>

/** Elements of one input, at most. */
const maxElements = 2 ** 28

/** Random inputs for run number `run` of a model. */
export function feedsOf(
  ort: typeof OnnxRuntime,
  inputs: readonly InputInfo[],
  choices: InputChoices,
  run: number,
  stream: RandomStream,
): Feeds {
  return Object.fromEntries(
    inputs.map((input) => {
      const dims = input.shape.map((size, i) => {
        const sizes = choices.sizes.get(nameOfDimension(input, i) ?? '')
        return typeof size === 'number' ? size : sizes![sizes!.length === 1 ? 0 : run]!
      })
      const length = dims.reduce((product, size) => product * size, 1)
      if (length > maxElements) {
        throw new Complaint(
          `${input.name} of [${dims}] has ${length} elements, of at most ${maxElements}: choose smaller sizes`,
        )
      }
      const range = choices.ranges.get(input.name)
      return [
        input.name,
        new ort.Tensor(input.type as 'float32', elements(input, length, range, stream) as Float32Array, dims),
      ]
    }),
  )
}

type Draw = () => number

/** How elements are held, and the least and largest that can be drawn. */
const integers = {
  int8: [(length: number, draw: Draw) => Int8Array.from({ length }, draw), -(2 ** 7), 2 ** 7 - 1],
  uint8: [(length: number, draw: Draw) => Uint8Array.from({ length }, draw), 0, 2 ** 8 - 1],
  int16: [(length: number, draw: Draw) => Int16Array.from({ length }, draw), -(2 ** 15), 2 ** 15 - 1],
  uint16: [(length: number, draw: Draw) => Uint16Array.from({ length }, draw), 0, 2 ** 16 - 1],
  int32: [(length: number, draw: Draw) => Int32Array.from({ length }, draw), -(2 ** 31), 2 ** 31 - 1],
  uint32: [(length: number, draw: Draw) => Uint32Array.from({ length }, draw), 0, 2 ** 32 - 1],
  int64: [
    (length: number, draw: Draw) => BigInt64Array.from({ length }, () => BigInt(draw())),
    Number.MIN_SAFE_INTEGER,
    Number.MAX_SAFE_INTEGER,
  ],
  uint64: [
    (length: number, draw: Draw) => BigUint64Array.from({ length }, () => BigInt(draw())),
    0,
    Number.MAX_SAFE_INTEGER,
  ],
} as const

const floats = {
  float16: (length: number, draw: Draw) => {
    const { bytes } = encodeMatrix(Float32Array.from({ length }, draw), 1, length, 'float16')
    return new Uint16Array(bytes.buffer, bytes.byteOffset, length)
  },
  float32: (length: number, draw: Draw) => Float32Array.from({ length }, draw),
  float64: (length: number, draw: Draw) => Float64Array.from({ length }, draw),
} as const

function elements({ name, type }: InputInfo, length: number, range: Range | undefined, stream: RandomStream) {
  if (Object.hasOwn(integers, type)) {
    const [make, least, most] = integers[type as keyof typeof integers]
    return make(length, drawInteger(name, type, range ?? { low: 0, high: 1 }, least, most, stream))
  }
  if (Object.hasOwn(floats, type)) {
    const { low, high } = range ?? { low: -1, high: 1 }
    const draw = () => low + ((high - low) * (1 + stream.signedUnit())) / 2
    return floats[type as keyof typeof floats](length, draw)
  }
  if (type === 'bool') {
    if (range) throw new Complaint(`${name} is true or false and takes no --range`)
    return Uint8Array.from({ length }, () => stream.below(2))
  }
  const known = [...Object.keys(floats), ...Object.keys(integers), 'bool'].join(', ')
  throw new Complaint(`the input ${name} is of ${type}, and only ${known} can be made up; record it by recordManifest`)
}

function drawInteger(
  name: string,
  type: string,
  { low, high }: Range,
  least: number,
  most: number,
  stream: RandomStream,
) {
  if (!Number.isInteger(low) || !Number.isInteger(high) || low < least || high > most || high - low >= 2 ** 32) {
    throw new Complaint(`--range of ${name} must be whole numbers of ${type}, fewer than 2³², got ${low}..${high}`)
  }
  return () => low + stream.below(high - low + 1)
}
