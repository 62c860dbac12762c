import { type Conv2dOptions, conv2dKernel } from './conv2d.ts'
import { type MatMulOptions, matMulKernel } from './mat-mul.ts'
import { count, type ReferenceTensor, referenceTensor, type TensorHistory } from './tensor.ts'

/** The functions that all operations go through: what a backend replaces. */
export interface ReferenceKernels {
  matMul(a: ReferenceTensor, b: ReferenceTensor, options: MatMulOptions): ReferenceTensor
  conv2d(x: ReferenceTensor, filters: ReferenceTensor, options: Conv2dOptions): ReferenceTensor
  bilinear(x: ReferenceTensor, w: ReferenceTensor, y: ReferenceTensor): ReferenceTensor
}

/** A float32 tensor library, small and slow, whose every operation is written out. */
export interface ReferenceLibrary {
  readonly kernels: ReferenceKernels
  /** How often the library's own kernels ran. */
  readonly kernelRuns: number
  /** Tensors made so far, by anybody. */
  readonly tensorsMade: number
  /** @param data - Row-major. Copied. */
  tensor(shape: readonly number[], data: Iterable<number>): ReferenceTensor
  /** activation(alpha·op(A)·op(B) + beta·(bias + addend)). Batches broadcast. */
  matMul(a: ReferenceTensor, b: ReferenceTensor, options?: MatMulOptions): ReferenceTensor
  /** activation(convolution + bias + addend). */
  conv2d(x: ReferenceTensor, filters: ReferenceTensor, options: Conv2dOptions): ReferenceTensor
  /** Σᵢⱼ xᵢ·wᵢⱼ·yⱼ for each row of `x` and `y`: two products in one, which no backend states as one product. */
  bilinear(x: ReferenceTensor, w: ReferenceTensor, y: ReferenceTensor): ReferenceTensor
  /** Changes the elements of `tensor` in place. */
  assign(tensor: ReferenceTensor, data: ArrayLike<number>): void
}

export function referenceLibrary(history: TensorHistory): ReferenceLibrary {
  let kernelRuns = 0
  let tensorsMade = 0
  function counted<Args extends readonly unknown[]>(kernel: (...args: Args) => ReferenceTensor) {
    return (...args: Args): ReferenceTensor => {
      kernelRuns++
      const result = kernel(...args)
      tensorsMade++
      history.markComputed(result)
      return result
    }
  }
  const kernels: ReferenceKernels = {
    matMul: counted(matMulKernel),
    conv2d: counted(conv2dKernel),
    bilinear: counted(bilinearKernel),
  }
  return {
    kernels,
    get kernelRuns() {
      return kernelRuns
    },
    get tensorsMade() {
      return tensorsMade
    },
    tensor(shape, data) {
      tensorsMade++
      return referenceTensor(shape, Float32Array.from(data))
    },
    matMul: (a, b, options = {}) => kernels.matMul(a, b, options),
    conv2d: (x, filters, options) => kernels.conv2d(x, filters, options),
    bilinear: (x, w, y) => kernels.bilinear(x, w, y),
    assign(tensor, data) {
      if (data.length !== count(tensor.shape)) {
        throw new RangeError(`[${tensor.shape}] cannot be assigned ${data.length} elements`)
      }
      tensor.data.set(data)
      history.changed(tensor)
    },
  }
}

function bilinearKernel(x: ReferenceTensor, w: ReferenceTensor, y: ReferenceTensor): ReferenceTensor {
  const [rows = 0, p = 0] = x.shape
  const q = y.shape[1] ?? 0
  if (w.shape[0] !== p || w.shape[1] !== q || y.shape[0] !== rows) {
    throw new RangeError(`[${x.shape}], [${w.shape}] and [${y.shape}] do not fit`)
  }
  const out = new Float32Array(rows)
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < p; i++) {
      for (let j = 0; j < q; j++) out[r]! += x.data[r * p + i]! * w.data[i * q + j]! * y.data[r * q + j]!
    }
  }
  return referenceTensor([rows], out)
}
