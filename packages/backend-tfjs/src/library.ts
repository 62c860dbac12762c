/** What is needed of the injected TensorFlow.js: any module with the API of `@tensorflow/tfjs-core`. */
export interface TensorFlow {
  getKernel(name: string, backend: string): KernelConfig | undefined
  getKernelsForBackend(backend: string): KernelConfig[]
  registerKernel(config: KernelConfig): void
  unregisterKernel(name: string, backend: string): void
  getBackend(): string
  engine(): object
}

export interface KernelConfig {
  readonly kernelName: string
  readonly backendName: string
  readonly kernelFunc: (params: KernelParams) => TensorInfo | TensorInfo[]
  readonly setupFunc?: (backend: object) => void
  readonly disposeFunc?: (backend: object) => void
}

export interface KernelParams {
  readonly inputs: Readonly<Record<string, TensorInfo>>
  readonly backend: object
  readonly attrs?: Readonly<Record<string, unknown>>
}

export interface TensorInfo {
  readonly dataId: object
  readonly shape: number[]
  readonly dtype: string
}

/** How the bytes of a tensor are reached without a copy and without a trace in the library's bookkeeping. */
export interface TensorMemory {
  readonly backendName: 'cpu' | 'wasm'
  /** The tensor's bytes where they lie; valid until the library runs again. */
  view(tensor: TensorInfo): Uint8Array
  /** The tensor's first element, whatever its type. */
  first(tensor: TensorInfo): number
}

/** @returns The memory of a backend, or undefined for one that this package cannot read. */
export function memoryOf(backendName: string, backend: object): TensorMemory | undefined {
  if (backendName === 'cpu') {
    const { readSync } = backend as { readSync(dataId: object): NumericArray }
    return memory(backendName, ({ dataId }) => readSync.call(backend, dataId))
  }
  if (backendName === 'wasm') {
    const { typedArrayFromHeap } = backend as { typedArrayFromHeap(tensor: TensorInfo): NumericArray }
    return memory(backendName, (tensor) => typedArrayFromHeap.call(backend, tensor))
  }
  return undefined
}

type NumericArray = ArrayBufferView & { readonly [index: number]: number }

function memory(
  backendName: TensorMemory['backendName'],
  elements: (tensor: TensorInfo) => NumericArray,
): TensorMemory {
  return {
    backendName,
    view: (tensor) => bytesOf(elements(tensor)),
    first: (tensor) => Number(elements(tensor)[0]),
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)
}

/** The element types whose products this package states. */
export function dtypeOf(tensor: TensorInfo): 'float32' | 'int32' | undefined {
  return tensor.dtype === 'float32' || tensor.dtype === 'int32' ? tensor.dtype : undefined
}
