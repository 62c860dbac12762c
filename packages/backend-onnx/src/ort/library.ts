/** What is needed of the `onnxruntime-node` that a program uses, version 1.30 or like it. */
export interface OrtBackend {
  createInferenceSessionHandler: CreateHandler
}

export type CreateHandler = (source: ModelInput, options?: OrtSessionOptions) => Promise<OrtHandler>

/** A path, or the bytes of a model. */
export type ModelInput = string | Uint8Array

/** What stands behind an `InferenceSession`. */
export interface OrtHandler {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  readonly inputMetadata: readonly object[]
  readonly outputMetadata: readonly object[]
  startProfiling(): void
  endProfiling(): void
  run(feeds: OrtValues, fetches: OrtFetches, options: object): Promise<OrtValues>
  dispose(): Promise<void>
}

/** `InferenceSession.SessionOptions`, as far as it matters here. */
export interface OrtSessionOptions {
  readonly graphOptimizationLevel?: string
  readonly optimizedModelFilePath?: string
  readonly enableProfiling?: boolean
  readonly logSeverityLevel?: number
  readonly preferredOutputLocation?: string | Readonly<Record<string, string>>
  readonly executionProviders?: readonly (string | { readonly name: string })[]
  readonly extra?: Readonly<Record<string, unknown>>
}

export type OrtValues = Readonly<Record<string, OrtTensor>>

/** Outputs to be computed: null, or a tensor that is to hold the result. */
export type OrtFetches = Readonly<Record<string, OrtTensor | null>>

export interface OrtTensor {
  /** 'float32', 'uint8', … */
  readonly type: string
  readonly dims: readonly number[]
  /** 'cpu', 'cpu-pinned', or a place that has to be read asynchronously. */
  readonly location: string
  /** Numbers, or texts in a plain array. Throws where the location is not the CPU. */
  readonly data: ArrayBufferView | readonly string[]
}
