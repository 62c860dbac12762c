import type { Derivation } from '@tensor-assay/core'
import { type TensorKeys, vectorOf } from '../handles.ts'
import type { KernelParams, TensorInfo, TensorMemory } from '../library.ts'
import { elementwise, statements } from './kernels.ts'
import type { Given } from './steps.ts'

interface Entry extends Given {
  /** The step's own shape, where its elements are repeated to give the tensor: known to kernels that broadcast alone. */
  readonly repeated?: readonly number[]
}

/**
 * How the tensors of a run follow from those of its products, by their data: tensors that share it differ in their shapes
 * only, and a tensor is read in the shape in which it is at hand.
 *
 * Tensors that no kernel of the run computed are public ones, or the run's input; which, the tape cannot tell. They are stated
 * as weights, of which a manifest keeps those that are known, and as a number where they have one element: tensors of one
 * element are what TensorFlow.js makes of the numbers in a program.
 */
export class Tape {
  private readonly keys: TensorKeys
  private readonly entries = new WeakMap<object, Entry | 'unknown'>()

  constructor(keys: TensorKeys) {
    this.keys = keys
  }

  /** Whether the run computed a tensor, and it is not known how. */
  isUnknown(tensor: TensorInfo): boolean {
    return this.entries.has(tensor.dataId) && this.derivation(tensor, tensor.shape) === undefined
  }

  /**
   * How a tensor follows.
   *
   * @param shape - The shape in which it was computed when omitted.
   * @returns Undefined for a tensor that the run did not compute, or not known how.
   */
  derivation({ dataId }: TensorInfo, shape?: readonly number[]): Derivation | undefined {
    const entry = this.entries.get(dataId)
    if (entry === undefined || entry === 'unknown' || entry.repeated) return undefined
    return inShape(entry, shape ?? entry.shape)
  }

  /** @param step - Undefined if it cannot be stated. */
  enter({ dataId }: TensorInfo, step: Derivation | undefined, shape: readonly number[]): void {
    this.entries.set(dataId, step === undefined ? 'unknown' : { step, shape })
  }

  /** Enters what a kernel computed that is no product; called before the library runs again. */
  follow(
    name: string,
    params: KernelParams,
    result: TensorInfo | TensorInfo[],
    memory: TensorMemory | undefined,
  ): void {
    const inputs = tensorsOf(params)
    const results = Array.isArray(result) ? result : [result]
    const [x, y] = [inputs[0], results[0]]
    if (name === 'Cast' && x && y && x.dtype !== y.dtype) {
      this.enterCast(x, y, memory)
      return
    }
    if (name === 'Tile' && x && y) {
      this.enterTile(x, y, memory)
      return
    }
    // What shares the data of an input has its elements, in the same order.
    const computed = results.filter(({ dataId }) => !inputs.some((input) => input.dataId === dataId))
    const steps = memory && this.stepsOf(name, params, results, memory)
    for (const tensor of computed) this.enter(tensor, steps?.[results.indexOf(tensor)], tensor.shape)
  }

  private stepsOf(
    name: string,
    { inputs, attrs = {} }: KernelParams,
    results: readonly TensorInfo[],
    memory: TensorMemory,
  ): readonly Derivation[] | undefined {
    if (!Object.hasOwn(statements, name) || results.some(({ dtype }) => dtype !== 'float32')) return undefined
    const isWhole = (tensor: TensorInfo | undefined) =>
      tensor && String(tensor.shape) === String(results[0]!.shape) && !this.isRepeated(tensor)
    const broadcasts = elementwise.has(name) && Object.values(inputs).some(isWhole)
    const given: Record<string, Given> = {}
    for (const [input, tensor] of Object.entries(inputs)) {
      // An operand that a kernel can do without.
      if (!tensor) continue
      const step = this.read(tensor, memory, broadcasts)
      if (step === undefined) return undefined
      given[input] = { step, shape: tensor.shape }
    }
    const shapes = results.map(({ shape }) => shape)
    const steps = statements[name as keyof typeof statements]({ inputs: given, attrs, shapes })
    return Array.isArray(steps) || steps === undefined ? steps : [steps as Derivation]
  }

  /** @param broadcasts - Whether the step may have a smaller shape, of which the elements are repeated. */
  private read(tensor: TensorInfo, memory: TensorMemory, broadcasts = false): Derivation | undefined {
    const entry = this.entries.get(tensor.dataId)
    if (entry !== undefined && entry !== 'unknown' && entry.repeated) {
      return broadcasts && String(entry.shape) === String(tensor.shape) ? entry.step : undefined
    }
    if (entry !== undefined) return this.derivation(tensor, tensor.shape)
    if (tensor.dtype !== 'float32') return undefined
    const { shape } = tensor
    if (elementsOf(shape) === 1) return inShape(numberOf(tensor, memory), shape)
    return { op: 'weight', vector: vectorOf(tensor, 'float32', memory, this.keys), shape }
  }

  /** Of integers that become floats only single ones are stated, the numbers of a program. On `cpu`, both share their data. */
  private enterCast(x: TensorInfo, cast: TensorInfo, memory: TensorMemory | undefined): void {
    const isNumber = cast.dtype === 'float32' && !this.entries.has(x.dataId) && elementsOf(x.shape) === 1
    const number = isNumber && memory ? numberOf(cast, memory) : undefined
    this.enter(cast, number?.step, [])
  }

  private enterTile(x: TensorInfo, tiled: TensorInfo, memory: TensorMemory | undefined): void {
    const step = memory && this.read(x, memory)
    const isRepeated = x.shape.every((size, axis) => size === 1 || size === tiled.shape[axis])
    const entry = step && isRepeated && { step, shape: tiled.shape, repeated: x.shape }
    this.entries.set(tiled.dataId, entry || 'unknown')
  }

  private isRepeated({ dataId }: TensorInfo): boolean {
    const entry = this.entries.get(dataId)
    return entry !== undefined && entry !== 'unknown' && entry.repeated !== undefined
  }
}

function tensorsOf({ inputs }: KernelParams): TensorInfo[] {
  return Object.values(inputs).filter((tensor) => Boolean(tensor))
}

function inShape(given: Given | undefined, shape: readonly number[]): Derivation | undefined {
  if (given === undefined || String(given.shape) === String(shape)) return given?.step
  return { op: 'reshape', x: given.step, shape }
}

/** @returns Undefined for what no manifest can hold: what is not finite. */
function numberOf(tensor: TensorInfo, memory: TensorMemory): Given | undefined {
  const value = memory.first(tensor)
  return Number.isFinite(value) ? { step: { op: 'number', value }, shape: [] } : undefined
}

function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}
