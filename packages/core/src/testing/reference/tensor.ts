/** A float32 tensor of the reference library, row-major. */
export interface ReferenceTensor {
  readonly shape: readonly number[]
  /** The elements where they lie: to read. `assign` of the library changes them. */
  readonly data: Float32Array
}

/** Bookkeeping of the library that a backend needs. */
export class TensorHistory {
  private readonly identities = new WeakMap<ReferenceTensor, object>()
  private readonly computed = new WeakSet<object>()

  /** Stands for the elements as they are now: another object once they were changed. */
  identity(tensor: ReferenceTensor): object {
    let identity = this.identities.get(tensor)
    if (identity === undefined) {
      identity = {}
      this.identities.set(tensor, identity)
    }
    return identity
  }

  /** Whether a kernel made these elements. */
  wasComputed(tensor: ReferenceTensor): boolean {
    return this.computed.has(this.identity(tensor))
  }

  markComputed(tensor: ReferenceTensor): void {
    this.computed.add(this.identity(tensor))
  }

  changed(tensor: ReferenceTensor): void {
    this.identities.set(tensor, {})
  }
}

/** @throws {RangeError} If `data` does not have the elements of `shape`. */
export function referenceTensor(shape: readonly number[], data: Float32Array): ReferenceTensor {
  const elements = count(shape)
  if (elements !== data.length) {
    throw new RangeError(`a tensor of shape [${shape}] has ${elements} elements, got ${data.length}`)
  }
  return { shape: [...shape], data }
}

export function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}
