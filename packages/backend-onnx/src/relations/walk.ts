import { decodeElements } from '@tensor-assay/core'
import { Attributes, type OnnxNode } from '@tensor-assay/onnx-model'
import { inputOf, operatorKey, operatorName, requiredInput } from '../graph/operator.ts'
import { storedOf } from '../products/matrices.ts'
import type { RunValues } from '../session/session-observer.ts'
import type { TapTensor } from '../taps/tap-tensor.ts'
import { computedIntegers, type Integers, integersOf } from './integer-values.ts'
import type { Occurrence } from './occurrence.ts'
import type { Readings } from './readings.ts'
import { rules } from './rules.ts'
import { numberOf, sizeOf, Underivable, type Value } from './steps.ts'

/** Nodes one behind the other, at most: each takes some of the stack. */
const maxDepth = 512

/** Goes back through a graph from a value to what products gave or read, and to what is in the model. */
export class Walk {
  readonly #run: RunValues
  readonly #readings: Readings
  readonly #values = new Map<string, Value>()
  #depth = 0

  constructor(run: RunValues, readings: Readings) {
    this.#run = run
    this.#readings = readings
  }

  /** The same object for the same value. @throws {Underivable} */
  value(name: string): Value {
    let value = this.#values.get(name)
    if (value === undefined) {
      const initializer = this.#initializer(name)
      value = initializer ? this.#weight(initializer) : (this.#readings.value(name) ?? this.#computed(name))
      this.#values.set(name, value)
    }
    return value
  }

  #computed(name: string): Value {
    const node = this.#producer(name)
    const rule = rules.get(operatorKey(node))
    if (rule === undefined) throw new Underivable(operatorName(node))
    return this.#deeper(() => rule(this.#occurrence(node, name)))
  }

  #occurrence(node: OnnxNode, name: string): Occurrence {
    const { model } = this.#run.plan
    return {
      node,
      attributes: new Attributes(model, node),
      output: node.outputs.indexOf(name),
      opset: model.opsets.get('') ?? 1,
      has: (input) => inputOf(node, input) !== undefined,
      value: (input) => this.value(requiredInput(node, input)),
      number: (input) => this.#number(requiredInput(node, input)),
      integers: (input) => this.#integers(requiredInput(node, input)).values,
      isScalar: (input) => this.#integers(requiredInput(node, input)).isScalar,
    }
  }

  #weight(tensor: TapTensor): Value {
    const { type, dims } = tensor
    if (type !== 'float32') throw new Underivable(`a weight of ${type}`)
    const length = sizeOf(dims)
    if (length === 1) return numberOf(decodeElements(tensor.bytes(), type)[0]!, dims)
    const vector = { length, dtype: type, stored: () => storedOf(tensor, type) } as const
    return { derivation: { op: 'weight', vector, shape: dims }, shape: dims }
  }

  #number(name: string): number {
    const tensor = this.#initializer(name)
    const isNumber = tensor !== undefined && sizeOf(tensor.dims) === 1
    if (isNumber && tensor.type === 'float32') return decodeElements(tensor.bytes(), 'float32')[0]!
    if (isNumber) return integersOf({ ...tensor, dims: [] }).values[0]!
    throw new Underivable('a number that the run computes')
  }

  #integers(name: string): Integers {
    const initializer = this.#initializer(name)
    if (initializer !== undefined) return integersOf(initializer)
    const node = this.#producer(name)
    return this.#deeper(() =>
      computedIntegers(node, this.#run.plan.model, {
        integers: (value) => this.#integers(value),
        shape: (value) => this.#shape(value),
      }),
    )
  }

  /** The shape of a value of this run, whatever its elements. */
  #shape(name: string): readonly number[] {
    const known = this.#run.value(name)?.dims
    if (known !== undefined) return known
    const declared = this.#run.plan.model.graph.values.get(name)?.tensor?.dims
    if (declared?.every((size) => typeof size === 'number')) return declared
    return this.value(name).shape
  }

  #initializer(name: string): TapTensor | undefined {
    return this.#run.plan.origin(name) === 'initializer' ? this.#run.value(name) : undefined
  }

  #producer(name: string): OnnxNode {
    const node = this.#run.plan.producer(name)
    if (node === undefined) throw new Underivable(`${this.#run.plan.origin(name)} ${name}`)
    return node
  }

  #deeper<T>(go: () => T): T {
    if (this.#depth >= maxDepth) throw new Underivable('a long way back')
    this.#depth++
    try {
      return go()
    } finally {
      this.#depth--
    }
  }
}
