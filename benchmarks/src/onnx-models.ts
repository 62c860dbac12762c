import { encodeModel, type NewAttribute, type NewNode, type NewTensor } from '@tensor-assay/onnx-model'
import { type SeededTensor, valuesOf } from './seeded.ts'

/** A model and what the verifier knows of it. */
export interface OnnxSubjectModel {
  readonly title: string
  readonly inputShape: readonly number[]
  readonly weights: readonly SeededTensor[]
  /** The ONNX file. */
  build(): Uint8Array
}

/** An encoder as exporters write it, with LayerNormalization and GELU after and before its multiplications. */
export function encoder(size: { layers: number; width: number; heads: number; length: number }): OnnxSubjectModel {
  const { layers, width, heads, length } = size
  const linears = [
    ['query', width, width],
    ['key', width, width],
    ['value', width, width],
    ['output', width, width],
    ['up', width, 4 * width],
    ['down', 4 * width, width],
  ] as const
  const weights = Array.from({ length: layers }, (_, layer) =>
    linears.flatMap(([name, k, n], i) => [
      { name: `${layer}/${name}`, shape: [k, n], seed: 100 * layer + 2 * i + 1, scale: Math.sqrt(3 / k) },
      { name: `${layer}/${name}/bias`, shape: [n], seed: 100 * layer + 2 * i + 2, scale: 0.1 },
    ]),
  ).flat()
  return {
    title: `encoder, ${layers} layers, width ${width}, ${heads} heads, ${length} tokens`,
    inputShape: [1, length, width],
    weights,
    build() {
      const graph = new EncoderGraph(width, heads)
      let x = 'x'
      for (let layer = 0; layer < layers; layer++) x = graph.layer(`${layer}`, x)
      return encodeModel({
        irVersion: 8,
        opsets: { '': 20 },
        graph: {
          name: 'encoder',
          nodes: graph.nodes,
          initializers: [
            ...graph.initializers,
            ...weights.map((weight) => floats(weight.name, weight.shape, valuesOf(weight))),
          ],
          inputs: [{ name: 'x', type: 'float32', dims: [1, length, width] }],
          outputs: [{ name: x, type: 'float32', dims: [1, length, width] }],
        },
      })
    },
  }
}

class EncoderGraph {
  readonly nodes: NewNode[] = []
  readonly initializers: NewTensor[]

  constructor(width: number, heads: number) {
    this.initializers = [
      int64s('split', [0, 0, heads, width / heads]),
      int64s('merge', [0, 0, width]),
      floats('scale', [], [Math.sqrt(heads / width)]),
      floats('ones', [width], new Float32Array(width).fill(1)),
      floats('zeros', [width], new Float32Array(width)),
    ]
  }

  layer(name: string, x: string): string {
    const query = this.#split(this.#linear(`${name}/query`, x), [0n, 2n, 1n, 3n])
    const key = this.#split(this.#linear(`${name}/key`, x), [0n, 2n, 3n, 1n])
    const value = this.#split(this.#linear(`${name}/value`, x), [0n, 2n, 1n, 3n])
    const scores = this.#node('Mul', [this.#node('MatMul', [query, key]), 'scale'])
    const mixed = this.#node('MatMul', [this.#node('Softmax', [scores], { axis: -1n }), value])
    const merged = this.#node('Reshape', [this.#node('Transpose', [mixed], { perm: [0n, 2n, 1n, 3n] }), 'merge'])
    const middle = this.#normalised(this.#node('Add', [this.#linear(`${name}/output`, merged), x]))
    const up = this.#node('Gelu', [this.#linear(`${name}/up`, middle)])
    return this.#normalised(this.#node('Add', [this.#linear(`${name}/down`, up), middle]))
  }

  #linear(name: string, x: string): string {
    return this.#node('Add', [this.#node('MatMul', [x, name]), `${name}/bias`])
  }

  #split(x: string, perm: readonly bigint[]): string {
    return this.#node('Transpose', [this.#node('Reshape', [x, 'split'])], { perm })
  }

  #normalised(x: string): string {
    return this.#node('LayerNormalization', [x, 'ones', 'zeros'], { axis: -1n })
  }

  #node(opType: string, inputs: readonly string[], attributes: Readonly<Record<string, NewAttribute>> = {}): string {
    const output = `${opType}:${this.nodes.length}`
    this.nodes.push({ name: output, opType, inputs, outputs: [output], attributes })
    return output
  }
}

function floats(name: string, dims: readonly number[], values: ArrayLike<number>): NewTensor {
  return { name, type: 'float32', dims, bytes: new Uint8Array(Float32Array.from(values).buffer) }
}

function int64s(name: string, values: readonly number[]): NewTensor {
  return {
    name,
    type: 'int64',
    dims: [values.length],
    bytes: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
  }
}
