import { appendFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { AssayError } from '@tensor-assay/core'
import { graphAddition, join, type OnnxGraph } from '@tensor-assay/onnx-model'
import { blockedDomain } from '../graph/blocked-graph.ts'
import { type GraphPlan, planGraph } from '../graph/plan.ts'
import type { CreateHandler, ModelInput, OrtHandler, OrtSessionOptions } from '../ort/library.ts'
import { changedOptions } from '../ort/session-options.ts'
import { gathersOf, noGathers } from '../taps/gathers.ts'
import { TapReader } from '../taps/tap-reader.ts'
import { closeDump, type Dump, dumpModel, type SessionFace } from './dump.ts'
import { filterBlock } from './filter-block.ts'
import { privateFolder } from './private-folder.ts'
import { SessionWeights } from './session-weights.ts'

/** A session whose values can be read, and that looks to its user like the plain one. */
export interface OpenedSession {
  /** Runs the instrumented model. Its inputs and outputs are the user's, then those of {@link reader}. */
  readonly handler: OrtHandler
  readonly face: SessionFace
  readonly plan: GraphPlan
  readonly reader: TapReader
  readonly weights: SessionWeights
  /** Channels in a block of reordered filters; 0 if there are none. */
  readonly filterBlock: number
}

/**
 * Creates a session from the graph that ONNX Runtime makes of the user's model under the user's options, with what it
 * takes to read values added, and nothing optimised again: a tap before the optimisations would keep operators from being
 * fused, and so change results.
 *
 * @throws Whatever goes wrong; nothing is left behind, and the caller falls back to the plain session.
 */
export async function openSession(
  create: CreateHandler,
  source: ModelInput,
  options: OrtSessionOptions,
): Promise<OpenedSession> {
  const folder = privateFolder()
  let dump: Dump | undefined
  let handler: OrtHandler | undefined
  try {
    dump = await dumpModel(create, source, options, folder)
    const weights = new SessionWeights(dump)
    const hasBlocks = dump.model.graph.nodes.some(({ domain }) => domain === blockedDomain)
    const block = hasBlocks ? await filterBlock(create) : 0
    const plan = planGraph(dump.model, { block, bytes: (name) => weights.tensor(name)?.bytes() })
    // On a device a Gather might be computed elsewhere, and the whole tensor be carried there.
    const gathers = isOnCpu(options) ? gathersOf(plan, dump.model) : noGathers
    const reader = new TapReader(plan, gathers, dump.face.outputNames)
    handler = await createTapped(create, dump, graphAddition(reader.addition), options)
    checkFace(handler, dump.face)
    return { handler, face: dump.face, plan, reader, weights, filterBlock: block }
  } catch (cause) {
    if (dump !== undefined) closeDump(dump)
    await handler?.dispose()
    throw cause
  } finally {
    // The open file and mapped data stay readable without their names; where they do not, removal waits.
    folder.remove()
  }
}

async function createTapped(
  create: CreateHandler,
  { path, file, model, dataFolder, face }: Dump,
  addition: Uint8Array,
  options: OrtSessionOptions,
): Promise<OrtHandler> {
  const changes = {
    graphOptimizationLevel: 'disabled',
    optimizedModelFilePath: undefined,
    ...locationsOf(options, face.outputNames),
  }
  if (hasExternalData(model.graph) && dataFolder !== dirname(path)) {
    // By path it would look for the data beside the dump.
    const extra = { ...options.extra, 'session.model_external_initializers_file_folder_path': dataFolder }
    return create(join([file.view(0, file.byteLength), addition]), changedOptions(options, { ...changes, extra }))
  }
  appendFileSync(path, addition)
  return create(path, changedOptions(options, changes))
}

function isOnCpu({ executionProviders = [] }: OrtSessionOptions): boolean {
  return executionProviders.every((provider) => (typeof provider === 'string' ? provider : provider.name) === 'cpu')
}

/** One place for all outputs would be that of the taps too, and those are read on the CPU. */
function locationsOf(
  { preferredOutputLocation: location }: OrtSessionOptions,
  outputNames: readonly string[],
): Pick<OrtSessionOptions, 'preferredOutputLocation'> {
  if (typeof location !== 'string') return {}
  return { preferredOutputLocation: Object.fromEntries(outputNames.map((name) => [name, location])) }
}

function hasExternalData({ initializers, nodes }: OnnxGraph): boolean {
  if ([...initializers.values()].some(({ data }) => data.kind === 'external')) return true
  return nodes.some(({ attributes }) =>
    [...attributes.values()].some((attribute) => {
      if (attribute.kind === 'graph') return hasExternalData(attribute.value)
      if (attribute.kind === 'graphs') return attribute.value.some(hasExternalData)
      return attribute.kind === 'tensor' && attribute.value.data.kind === 'external'
    }),
  )
}

/** The user's inputs and outputs, and only those of taps behind them. */
function checkFace({ inputNames, outputNames }: OrtHandler, face: SessionFace): void {
  const sameInputs = String(inputNames.slice(0, face.inputNames.length)) === String(face.inputNames)
  const sameOutputs = String(outputNames.slice(0, face.outputNames.length)) === String(face.outputNames)
  if (sameInputs && sameOutputs) return
  throw new AssayError(
    'model-unsupported',
    `the optimised model has inputs ${inputNames} and outputs ${outputNames}, ` +
      `expected ${face.inputNames} and ${face.outputNames} first`,
  )
}
