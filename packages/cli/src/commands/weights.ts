import { type LoadedWeights, printable, weights as weightsOf } from '@tensor-assay/verifier'
import { command } from '../command.ts'
import { Complaint } from '../complaint.ts'
import { say } from '../terminal.ts'

export const weights = command({
  summary: 'lists the tensors of weight files with their digests',
  usage: 'FILE… [--json]',
  options: { json: { help: 'one JSON array, for programs' } },
  details: 'Files: .npy, .safetensors, .onnx, and model.json of TensorFlow.js with its shards beside it.',
  async run(given) {
    if (given.positionals.length === 0) throw new Complaint('expected a FILE')
    const loaded: (readonly [file: string, store: LoadedWeights])[] = []
    for (const file of given.positionals) loaded.push([file, await weightsOf(file)])
    if (given.has('json'))
      say(
        JSON.stringify(
          loaded.map(([file, store]) => jsonOf(file, store)),
          null,
          2,
        ),
      )
    else for (const [file, store] of loaded) say(listing(file, store))
    return 0
  },
})

/** A line for each tensor, digest first: it is what a tensor is known by. */
function listing(file: string, { weights, skipped }: LoadedWeights): string {
  const rows = weights.map(({ digest, dtype, shape, name }) => [digest, dtype, `[${shape.join(', ')}]`, name] as const)
  const widths = [1, 2].map((column) => Math.max(0, ...rows.map((row) => row[column]!.length)))
  return [
    `${file}: ${weights.length} held, ${skipped.length} skipped`,
    ...rows.map(([digest, dtype, shape, name]) =>
      `${digest}  ${dtype.padEnd(widths[0]!)}  ${shape.padEnd(widths[1]!)}  ${printable(name)}`.trimEnd(),
    ),
    ...skipped.map(({ name, reason }) => `skipped  ${printable(name)}: ${printable(reason)}`),
  ].join('\n')
}

function jsonOf(file: string, { weights, skipped }: LoadedWeights) {
  return {
    file,
    weights: weights.map(({ name, dtype, shape, byteLength, digest }) => ({ name, dtype, shape, byteLength, digest })),
    skipped,
  }
}
