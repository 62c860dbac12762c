/** Element types of ONNX tensors by their number in `TensorProto.DataType`, with the bits that an element takes. */
const types = {
  1: ['float32', 32],
  2: ['uint8', 8],
  3: ['int8', 8],
  4: ['uint16', 16],
  5: ['int16', 16],
  6: ['int32', 32],
  7: ['int64', 64],
  8: ['string', undefined],
  9: ['bool', 8],
  10: ['float16', 16],
  11: ['float64', 64],
  12: ['uint32', 32],
  13: ['uint64', 64],
  14: ['complex64', 64],
  15: ['complex128', 128],
  16: ['bfloat16', 16],
  17: ['float8e4m3fn', 8],
  18: ['float8e4m3fnuz', 8],
  19: ['float8e5m2', 8],
  20: ['float8e5m2fnuz', 8],
  21: ['uint4', 4],
  22: ['int4', 4],
  23: ['float4e2m1', 4],
  24: ['float8e8m0', 8],
  25: ['uint2', 2],
  26: ['int2', 2],
} as const

export type ElementType = (typeof types)[keyof typeof types][0]

/** @returns The type, or undefined for a number that this version does not know. */
export function elementTypeOf(number: number): ElementType | undefined {
  return (types as Readonly<Record<number, readonly [ElementType, number | undefined]>>)[number]?.[0]
}

export function elementTypeNumber(type: ElementType): number {
  return numbers.get(type)!
}

/** Bits of one element; undefined for text. Elements of less than a byte are packed, the first in the lowest bits. */
export function elementBits(type: ElementType): number | undefined {
  return bits.get(type)
}

const numbers = new Map(Object.entries(types).map(([number, [type]]) => [type as ElementType, Number(number)]))
const bits = new Map(Object.values(types).map(([type, size]) => [type as ElementType, size as number | undefined]))
