import { type ManifestOperation, type ManifestProduct, manifestDigest, type WeightStore } from '@tensor-assay/core'
import { printable } from '@tensor-assay/verifier'
import { command } from '../command.ts'
import { Complaint } from '../complaint.ts'
import { loadManifest, loadWeights } from '../inputs.ts'
import { namedWeights } from '../manifest-weights.ts'
import { say } from '../terminal.ts'

export const manifest = command({
  summary: 'checks a manifest file and prints its digest and operations',
  usage: 'FILE [--weights FILE…] [--json]',
  options: {
    weights: { value: 'FILE', many: 'list', help: 'weight files, to print the names of the weights' },
    json: { help: 'digest, number of operations and weights as JSON, for programs' },
  },
  async run(given) {
    const [file, ...more] = given.positionals
    if (file === undefined || more.length > 0) throw new Complaint(`expected one FILE, got ${given.positionals.length}`)
    const parsed = await loadManifest(file)
    const store = await loadWeights(given.all('weights'))
    const digest = manifestDigest(parsed)
    const { operations } = parsed
    const weights = [...namedWeights(parsed)]
    if (given.has('json')) {
      say(JSON.stringify({ digest, operations: operations.length, weights }))
      return 0
    }
    say(`${file}: ${operations.length} operations to a step, ${weights.length} weights`)
    say(`digest ${digest}`)
    const [last, names] = [String(operations.length - 1).length, operations.map(nameOf)]
    const width = names.reduce((longest, { length }) => Math.max(longest, length), 0)
    for (const [i, operation] of operations.entries()) {
      say(`  ${String(i).padStart(last)}  ${names[i]!.padEnd(width)}  ${statement(operation, store)}`.trimEnd())
    }
    return 0
  },
})

function nameOf({ operation, node }: ManifestOperation): string {
  return printable(node === undefined ? operation : `${operation} ${node}`, 60)
}

/** What an operation is, in a line. */
function statement(operation: ManifestOperation, store: WeightStore): string {
  if (operation.kind === 'opaque') return 'opaque: not stated as a product, never checked'
  const { b, bias, scales, activation, profile, links } = operation
  const named = (digest: string) => {
    const weight = store.find(digest)
    return weight === undefined ? `${digest.slice(0, 16)}…` : printable(weight.name, 60)
  }
  const origin = (link: ManifestProduct['links']['a']) => link && `${link.tensor.toUpperCase()} of ${link.operation}`
  return [
    shapeOf(operation),
    links.a && `A = ${origin(links.a)}`,
    b === null
      ? `B = ${origin(links.b) ?? 'an activation'}`
      : `B = ${named(b.digest)}${b.transposed ? ' transposed' : ''}`,
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
