import { type Backend, deriveSeed, type OpaqueOperation, randomStream } from '@tensor-assay/core'
import { Complaint } from '../complaint.ts'
import { checkChoices, type InputChoices } from './input-options.ts'
import { feedsOf, type InputInfo } from './inputs.ts'
import { onnxRuntime } from './runtime.ts'

/** A public model that can be run on inputs that are made up. */
export interface ModelRuns {
  readonly backend: Backend
  readonly version: string
  /** At least two: what depends on the values of an input shows by differing. */
  readonly runs: readonly (() => Promise<void>)[]
  release(): Promise<void>
}

export interface SessionChoices {
  readonly optimization?: string
  readonly disabledOptimizers: readonly string[]
}

/** Where the inputs come from: the same in every run of `assay`. */
const seed = new Uint8Array(32)

/**
 * Creates a session of a model and makes inputs for it.
 *
 * @throws {Complaint} If the model cannot be loaded, or not enough is said of its inputs.
 */
export async function modelRuns(
  path: string,
  inputs: InputChoices,
  { optimization, disabledOptimizers }: SessionChoices = { disabledOptimizers: [] },
): Promise<ModelRuns> {
  const { ort, backend, version } = await onnxRuntime()
  const options = {
    executionProviders: ['cpu'],
    // What is wrong is thrown as well.
    logSeverityLevel: 4,
    ...(optimization && { graphOptimizationLevel: optimization as 'all' }),
    ...(disabledOptimizers.length > 0 && {
      extra: { optimization: { disable_specified_optimizers: disabledOptimizers.join(';') } },
    }),
  } as const
  const session = await ort.InferenceSession.create(path, options).catch((error: unknown) => {
    throw new Complaint(`${path} cannot be loaded by ONNX Runtime ${version}: ${messageOf(error)}`)
  })
  const wanted = session.inputMetadata as readonly (Partial<InputInfo> & { name: string; isTensor: boolean })[]
  const other = wanted.find(({ isTensor }) => !isTensor)
  if (other !== undefined) {
    throw new Complaint(
      `the input ${other.name} of ${path} is no tensor and cannot be made up; record it by recordManifest`,
    )
  }
  const infos = wanted as readonly InputInfo[]
  checkChoices(infos, inputs)
  const count = Math.max(2, ...[...inputs.sizes.values()].map(({ length }) => length))
  const runs = Array.from({ length: count }, (_, run) => async () => {
    const feeds = feedsOf(
      ort,
      infos,
      inputs,
      Math.min(run, longest(inputs) - 1),
      randomStream(deriveSeed(seed, 'inputs', run)),
    )
    try {
      await session.run(feeds)
    } catch (error) {
      const shapes = Object.entries(feeds).map(([name, { dims }]) => `${name} [${dims}]`)
      throw new Complaint(
        `${path} does not run on ${shapes.join(', ')}: ${messageOf(error)}; choose other sizes by --dim or values by --range`,
      )
    }
  })
  return { backend, version, runs, release: () => session.release() }
}

/** Runs that the sizes are given for. */
function longest({ sizes }: InputChoices): number {
  return Math.max(1, ...[...sizes.values()].map(({ length }) => length))
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** A backend that keeps why operations were opaque, each reason once for each operation. */
export function noting(backend: Backend, reasons: Map<string, string>): Backend {
  return {
    ...backend,
    intercept: (observer) =>
      backend.intercept({
        ...(observer.run && { run: () => observer.run?.() }),
        ...(observer.wantsDerivations && { wantsDerivations: true }),
        product: (product) => observer.product(product),
        opaque(opaque: OpaqueOperation) {
          reasons.set(opaque.operation, opaque.reason)
          observer.opaque(opaque)
        },
      }),
  }
}
