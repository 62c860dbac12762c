import type { BackendCapability, BackendHarness, Program, ProgramOperation } from '../../src/conformance/index.ts'
import type {
  ReferenceActivation,
  ReferenceBackend,
  ReferenceLibrary,
  ReferenceTensor,
} from '../../src/testing/index.ts'

const capabilities: readonly BackendCapability[] = [
  'transposed',
  'batched',
  'broadcast',
  'alpha',
  'bias',
  'addend',
  'beta',
  'relu',
  'relu6',
  'elu',
  'sigmoid',
  'tanh',
  'leakyrelu',
  'prelu',
  'clip',
  'hardsigmoid',
  'conv2d-channels-last',
  'conv2d-channels-first',
  'conv2d-groups',
  'assign',
  'kernelRuns',
  'patchPoints',
  'liveObjects',
  'runOpaque',
]

/** The reference backend as the conformance cases need it: what the author of a backend writes. */
export function referenceHarness(backend: ReferenceBackend): BackendHarness {
  const { library } = backend
  return {
    backend,
    capabilities,
    async run({ inputs, operations }: Program) {
      const values = inputs.map(({ shape, data }) => library.tensor(shape, data))
      for (const operation of operations) {
        const result = runOperation(library, values, operation)
        if (result !== undefined) values.push(result)
        await undefined
      }
      return values.slice(inputs.length).map(({ shape, data }) => ({ shape, data: data.slice() }))
    },
    kernelRuns: () => library.kernelRuns,
    patchPoints: () => Object.values(library.kernels),
    liveObjects: () => library.tensorsMade,
    runOpaque() {
      const x = library.tensor([2, 3], [1, 2, 3, 4, 5, 6])
      library.bilinear(x, library.tensor([3, 3], new Float32Array(9).fill(1)), x)
    },
  }
}

function runOperation(
  library: ReferenceLibrary,
  values: readonly ReferenceTensor[],
  operation: ProgramOperation,
): ReferenceTensor | undefined {
  if (operation.kind === 'assign') {
    library.assign(values[operation.target]!, operation.value.data)
    return undefined
  }
  const { bias, addend } = operation
  const fused = {
    ...(addend === undefined ? {} : { addend: values[addend]! }),
    ...(bias === undefined ? {} : { bias: values[bias]! }),
    activation: activationOf(operation, values),
  }
  if (operation.kind === 'matMul') {
    const { a, b, transposeA = false, transposeB = false, alpha = 1, beta = 1 } = operation
    return library.matMul(values[a]!, values[b]!, { transposeA, transposeB, alpha, beta, ...fused })
  }
  const { x, filters, channelsLast, groups, strides, dilations, padding } = operation
  const options = { channelsLast, groups, strides, dilations, padding, ...fused }
  return library.conv2d(values[x]!, values[filters]!, options)
}

function activationOf(
  { activation: name, slope, offset, slopes, least, most }: Exclude<ProgramOperation, { kind: 'assign' }>,
  values: readonly ReferenceTensor[],
): ReferenceActivation {
  if (name === 'leakyrelu') return { name, slope: slope! }
  if (name === 'hardsigmoid') return { name, slope: slope!, offset: offset! }
  if (name === 'clip') return { name, least: least!, most: most! }
  return name === 'prelu' ? { name, slopes: values[slopes!]! } : { name: name ?? 'linear' }
}
