import { decodeElements } from '@tensor-assay/core'
import { Attributes, type OnnxNode } from '@tensor-assay/onnx-model'
import { inputOf, operatorKey, operatorName, requiredInput } from '../graph/operator.ts'
import { storedOf } from '../products/matrices.ts'
import type { RunValues } from '../session/session-observer.ts'
import type { TapTensor } from '../taps/tap-tensor.ts'
import { blockedRules, inOrderName, plainOf, reorderedOf } from './blocked-values.ts'
import { computedIntegers, type Integers, integersOf } from './integer-values.ts'
import type { Rule } from './occurrence.ts'
import type { Readings } from './readings.ts'
import { rules } from './rules.ts'
import { numberOf, sizeOf, Underivable, type Value } from './steps.ts'
import { type View, viewedBack, viewsBehind } from './views-back.ts'

/** Nodes one behind the other, at most: each takes some of the stack. */
const maxDepth = 512

/** Goes back through a graph from a value to what products gave or read, and to what is in the model. */
export class Walk {
  readonly #run: RunValues
  readonly #readings: Readings
  readonly #views: ReadonlyMap<string, View>
  readonly #values = new Map<string, Value>()
  readonly #blocked = new Map<string, Value>()
  readonly #shapes = new Map<string, readonly number[]>()
  #depth = 0

  constructor(run: RunValues, readings: Readings) {
    this.#run = run
    this.#readings = readings
    this.#views = viewsBehind(readings.names, run.plan)
  }

  /** The same object for the same value. @throws {Underivable} */
  value(name: string): Value {
    let value = this.#values.get(name)
    if (value === undefined) {
      const initializer = this.#initializer(name)
      value = initializer
        ? this.#weight(initializer)
        : (this.#readings.value(name) ?? this.#viewed(name) ?? this.#computed(name))
      this.#values.set(name, value)
    }
    return value
  }

  /** A value of which a view is known. The shapes of views between them follow from its own. */
  #viewed(name: string): Value | undefined {
    const view = this.#views.get(name)
    const shape = view && (this.#knownShape(name) ?? this.#computedShape(name))
    if (view === undefined || shape === undefined) return undefined
    const { output } = view
    const standIn: Value = { derivation: { op: 'tensor', key: view, shape }, shape }
    this.#shapes.set(output, this.#stated(output, rules, () => standIn).shape)
    return viewedBack(
      view,
      this.#deeper(() => this.value(output)),
      shape,
      this.#run.plan,
    )
  }

  /** The shape of a value whose elements are known nearer by. */
  #computedShape(name: string): readonly number[] | undefined {
    try {
      return this.#computed(name).shape
    } catch (error) {
      if (error instanceof Underivable) return undefined
      throw error
    }
  }

  #computed(name: string): Value {
    const reordered = reorderedOf(name, this.#run.plan)
    if (reordered === undefined) return this.#stated(name, rules, (input) => this.value(input))
    const value = this.#deeper(() => this.#inOrder(reordered.blocked))
    if (value.shape[1] !== reordered.channels) throw new Underivable('blocks that are filled up inside')
    return value
  }

  /** A value in blocks of channels, as it is with the channels in order. */
  #inOrder(blocked: string): Value {
    let value = this.#blocked.get(blocked)
    if (value === undefined) {
      const { plan } = this.#run
      const ours = inOrderName(blocked, plan)
      const isRead = ours !== undefined && this.#readings.value(ours) !== undefined
      const plain = isRead ? ours : plainOf(blocked, plan)
      if (plain !== undefined) value = this.value(plain)
      else value = this.#stated(blocked, blockedRules, (input) => this.#inOrder(input))
      this.#blocked.set(blocked, value)
    }
    return value
  }

  #stated(name: string, known: ReadonlyMap<string, Rule>, value: (name: string) => Value): Value {
    const node = this.#producer(name)
    const rule = known.get(operatorKey(node))
    if (rule === undefined) throw new Underivable(operatorName(node))
    const { model } = this.#run.plan
    const input = (index: number) => requiredInput(node, index)
    return this.#deeper(() =>
      rule({
        node,
        attributes: new Attributes(model, node),
        output: node.outputs.indexOf(name),
        opset: model.opsets.get('') ?? 1,
        has: (index) => inputOf(node, index) !== undefined,
        value: (index) => value(input(index)),
        number: (index) => this.#number(input(index)),
        integers: (index) => this.#integers(input(index)).values,
        isScalar: (index) => this.#integers(input(index)).isScalar,
      }),
    )
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
    return this.#knownShape(name) ?? this.value(name).shape
  }

  #knownShape(name: string): readonly number[] | undefined {
    const { value, plan } = this.#run
    const declared = plan.model.graph.values.get(name)?.tensor?.dims
    const known = this.#shapes.get(name) ?? value(name)?.dims
    return known ?? (declared?.every((size) => typeof size === 'number') ? declared : undefined)
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
