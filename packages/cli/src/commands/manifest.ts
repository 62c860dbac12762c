import {
  type Manifest,
  type ManifestOperation,
  type ManifestProduct,
  manifestDigest,
  type operandNames,
  type WeightStore,
} from '@tensor-assay/core'
import { combineWeights, printable } from '@tensor-assay/verifier'
import type { Given } from '../arguments/options.ts'
import { oneOf } from '../arguments/values.ts'
import { command } from '../command.ts'
import { Complaint } from '../complaint.ts'
import { loadManifest, loadWeights } from '../inputs.ts'
import { namedWeights } from '../manifest-weights.ts'
import { newFile } from '../new-file.ts'
import { inputChoices, inputOptions } from '../onnx/input-options.ts'
import { recordModel } from '../record-model.ts'
import { note, say } from '../terminal.ts'

const recording = {
  out: { value: 'FILE', help: 'of a model: file that gets its manifest; it must not be there yet' },
  ...inputOptions,
  optimization: {
    value: 'LEVEL',
    help: 'of a model: disabled, basic, extended, layout or all, as the prover has it; all',
  },
  'disable-optimizer': { value: 'NAME', many: 'repeated', help: 'of a model: optimizer that the prover turns off' },
} as const

const options = {
  weights: { value: 'FILE', many: 'list', help: 'weight files, to print the names of the weights' },
  ...recording,
  json: { help: 'digest, number of operations and weights as JSON, for programs' },
} as const

export const manifest = command({
  summary: 'makes a manifest of an ONNX model, or checks one; prints its digest and operations',
  usage: 'MODEL.onnx --out FILE [--dim NAME=N,N…] [--range INPUT=LOW..HIGH], or FILE [--weights FILE…] [--json]',
  options,
  details:
    'A model is run by the onnxruntime-node of the current folder, on the CPU, on inputs that are made up. Several sizes of\n' +
    'a dimension are several runs: what differs between them is left free, what does not is demanded. What ONNX Runtime\n' +
    'executes depends on its version, its options and the processor, so make the manifest where provers run, or alike.',
  async run(given) {
    const [file, ...more] = given.positionals
    if (file === undefined || more.length > 0) throw new Complaint(`expected one FILE, got ${given.positionals.length}`)
    const isModel = file.toLowerCase().endsWith('.onnx')
    if (isModel) {
      const { path, manifest, weights } = await record(file, given)
      print(path, manifest, combineWeights(weights, await loadWeights(given.all('weights'))), given.has('json'))
      return 0
    }
    const [stray] = Object.keys(recording).filter((name) => given.has(name as keyof typeof recording))
    if (stray !== undefined) {
      throw new Complaint(`--${stray} is for making a manifest of a model, a file that ends in .onnx; got ${file}`)
    }
    const parsed = await loadManifest(file)
    print(file, parsed, await loadWeights(given.all('weights')), given.has('json'))
    return 0
  },
})

/** Makes and writes the manifest of a model. */
async function record(model: string, given: Given<keyof typeof options>) {
  const path = given.one('out')
  if (path === undefined) throw new Complaint('expected --out FILE: where the manifest of the model goes')
  const levels = ['disabled', 'basic', 'extended', 'layout', 'all'] as const
  const optimization = oneOf('optimization', given.one('optimization'), levels)
  const inputs = inputChoices(given)
  const write = await newFile(path)
  const session = { disabledOptimizers: given.all('disable-optimizer'), ...(optimization && { optimization }) }
  const { manifest, weights, reasons, runs, version } = await recordModel(model, inputs, session)
  await write(`${JSON.stringify(manifest)}\n`)
  note(`wrote ${path}: ${runs} runs by ONNX Runtime ${version}`)
  for (const [operation, reason] of reasons)
    note(`${printable(operation)} is opaque, never checked: ${printable(reason)}`)
  return { path, manifest, weights }
}

function print(file: string, parsed: Manifest, store: WeightStore, json: boolean): void {
  const digest = manifestDigest(parsed)
  const { operations } = parsed
  const weights = [...namedWeights(parsed)]
  const products = operations.filter((operation) => operation.kind === 'product')
  const opaque = operations.length - products.length
  const ofActivations = products.filter(({ b }) => b === null).length
  const links = products.reduce((sum, { links }) => sum + Object.values(links).filter(Boolean).length, 0)
  const relations = products.reduce((sum, { relations = {} }) => sum + Object.keys(relations).length, 0)
  if (json) {
    say(JSON.stringify({ digest, operations: operations.length, opaque, ofActivations, links, relations, weights }))
    return
  }
  say(`${file}: ${operations.length} operations to a step, ${weights.length} weights`)
  say(`digest ${digest}`)
  say(
    `products ${products.length}, of which ${ofActivations} of two activations; opaque ${opaque}; links ${links}; relations ${relations}`,
  )
  const [last, names] = [String(operations.length - 1).length, operations.map(nameOf)]
  const width = names.reduce((longest, { length }) => Math.max(longest, length), 0)
  for (const [i, operation] of operations.entries()) {
    say(`  ${String(i).padStart(last)}  ${names[i]!.padEnd(width)}  ${statement(operation, store)}`.trimEnd())
  }
}

function nameOf({ operation, node }: ManifestOperation): string {
  return printable(node === undefined ? operation : `${operation} ${node}`, 60)
}

/** What an operation is, in a line. */
function statement(operation: ManifestOperation, store: WeightStore): string {
  if (operation.kind === 'opaque') return 'opaque: not stated as a product, never checked'
  const { b, bias, addend, roundedBlocks, scales, activation, profile, links, relations = {} } = operation
  const named = (digest: string) => {
    const weight = store.find(digest)
    return weight === undefined ? `${digest.slice(0, 16)}…` : printable(weight.name, 60)
  }
  const origin = (name: (typeof operandNames)[number]) => {
    const link = links[name]
    if (link !== undefined) return `${link.tensor.toUpperCase()} of ${link.operation}`
    const sources = (relations[name] ?? []).flatMap((step) => (step.op === 'tensor' ? step.operation : []))
    return sources.length === 0 ? undefined : `what follows from ${[...new Set(sources)].join(', ')}`
  }
  const a = origin('a')
  return [
    shapeOf(operation),
    a && `A = ${a}`,
    b === null ? `B = ${origin('b') ?? 'an activation'}` : `B = ${named(b.digest)}${b.transposed ? ' transposed' : ''}`,
    roundedBlocks && `A rounded in blocks of ${roundedBlocks}`,
    addend && `plus ${origin('addend') ?? 'a tensor'}`,
    bias && `bias ${named(bias)}`,
    scales && `scales ${named(scales)}`,
    activation.name !== 'linear' && activation.name,
    profile,
  ]
    .filter(Boolean)
    .join(', ')
}

/** `?` where the manifest leaves a size free. */
function shapeOf({ layout }: ManifestProduct): string {
  if (layout.kind === 'matmul') return `m×${layout.k ?? '?'} · ${layout.k ?? '?'}×${layout.n ?? '?'}`
  const { kernel, inChannels, outChannels, groups } = layout
  return `convolution ${kernel.join('×')}, ${inChannels} → ${outChannels} channels${groups === 1 ? '' : `, ${groups} groups`}`
}
