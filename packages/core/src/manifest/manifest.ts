import { bytesToHex } from '@noble/hashes/utils.js'
import * as v from 'valibot'
import { encodeControl } from '../codec/control.ts'
import { excerpt } from '../codec/excerpt.ts'
import { fieldParts } from '../commitment/fields.ts'
import { sha256 } from '../commitment/suite.ts'
import { AssayError } from '../errors.ts'
import { type ProfileName, profiles } from '../numerics/profile.ts'
import { relationSchema } from '../relation/relation.ts'

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const finite = v.pipe(v.number(), v.finite())
const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))
const space = v.pipe(v.array(count), v.minLength(1), v.maxLength(3))
/** null where it differs from run to run. */
const free = <T extends v.GenericSchema>(schema: T) => v.nullable(schema)

const layout = v.variant('kind', [
  v.strictObject({ kind: v.literal('matmul'), k: free(count), n: free(count) }),
  v.strictObject({
    kind: v.literal('convolution'),
    channelsLast: v.boolean(),
    groups: count,
    inChannels: count,
    outChannels: count,
    kernel: space,
    strides: space,
    dilations: space,
    padding: free(space),
  }),
])

/** The tensors that an operation reads. Two of them may be the same: the later one is linked to the earlier then. */
export const operandNames = ['a', 'b', 'addend'] as const

/** A tensor of an earlier operation of the same step, which this one reads, or an operand that this one reads twice. */
const source = v.strictObject({ operation: count, tensor: v.picklist(['a', 'b', 'c', 'addend']) })

const product = v.strictObject({
  kind: v.literal('product'),
  operation: v.string(),
  node: v.optional(v.string()),
  layout,
  /** The public weight, or null where B is an activation. */
  b: free(v.strictObject({ digest, transposed: v.boolean() })),
  /** Whether a tensor of the shape of C is added. */
  addend: v.optional(v.literal(true)),
  zeroPoints: v.optional(v.strictObject({ a: free(finite), b: v.optional(digest) })),
  /** Elements of A that are rounded to 8 bits together. */
  roundedBlocks: v.optional(count),
  alpha: free(finite),
  scales: v.optional(digest),
  bias: v.optional(digest),
  beta: v.optional(finite),
  activation: v.variant('name', [
    v.strictObject({ name: v.picklist(['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'tanh']) }),
    v.strictObject({ name: v.literal('leakyrelu'), slope: finite }),
    v.strictObject({ name: v.literal('clip'), least: finite, most: finite }),
    v.strictObject({ name: v.literal('hardsigmoid'), slope: finite, offset: finite }),
    v.strictObject({ name: v.literal('prelu'), slopes: digest }),
  ]),
  zeroPoint: v.optional(free(finite)),
  profile: v.picklist(Object.keys(profiles) as [ProfileName, ...ProfileName[]]),
  /** Where A, a B that is an activation and an addend come from, as far as an operation knows that tensor. */
  links: v.strictObject({ a: v.optional(source), b: v.optional(source), addend: v.optional(source) }),
  /** How those of them that are no tensor of an operation before follow from such tensors, as far as it is known. */
  relations: v.optional(
    v.strictObject({
      a: v.optional(relationSchema),
      b: v.optional(relationSchema),
      addend: v.optional(relationSchema),
    }),
  ),
})

const opaque = v.strictObject({
  kind: v.literal('opaque'),
  operation: v.string(),
  node: v.optional(v.string()),
})

const schema = v.strictObject({
  format: v.literal('tensor-assay-manifest'),
  version: v.literal(1),
  operations: v.pipe(v.array(v.variant('kind', [product, opaque])), v.maxLength(100_000)),
})

/**
 * The operations that one step of a model must execute, in order, on which weights, and which of their tensors are the
 * same. It turns what a prover leaves out, adds, swaps or declares otherwise into failures.
 */
export type Manifest = v.InferOutput<typeof schema>
export type ManifestOperation = Manifest['operations'][number]
export type ManifestProduct = Extract<ManifestOperation, { kind: 'product' }>

/**
 * Checks a manifest that came from a file.
 *
 * @throws {AssayError} `manifest-malformed`, also for unknown fields and versions.
 */
export function parseManifest(json: string): Manifest {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (cause) {
    const problem = excerpt((cause as Error).message)
    throw new AssayError('manifest-malformed', `the manifest is not JSON: ${problem}`, { cause })
  }
  // The first problem is enough, and a spoilt file may have a million.
  const result = v.safeParse(schema, value, { abortEarly: true })
  if (!result.success) {
    const [issue] = result.issues
    const path = v.getDotPath(issue)
    const place = path === null ? '' : `, ${excerpt(path)}`
    throw new AssayError('manifest-malformed', `manifest${place}: ${excerpt(issue.message)}`)
  }
  for (const [i, operation] of result.output.operations.entries()) {
    if (operation.kind === 'opaque') continue
    for (const [place, name] of operandNames.entries()) {
      const link = operation.links[name]
      if (link === undefined || link.operation < i) continue
      const isOwn = link.operation === i && operandNames.slice(0, place).some((before) => before === link.tensor)
      if (!isOwn) {
        throw new AssayError('manifest-malformed', `operation ${i} of the manifest reads operation ${link.operation}`)
      }
    }
    for (const step of operandNames.flatMap((name) => operation.relations?.[name] ?? [])) {
      if (step.op !== 'tensor') continue
      if (step.operation >= i || result.output.operations[step.operation]!.kind !== 'product') {
        const message = `operation ${i} of the manifest follows from operation ${step.operation}, which is no product before it`
        throw new AssayError('manifest-malformed', message)
      }
    }
  }
  return result.output
}

/** Whether tensors are derived from each other, so that a prover has to keep them for longer. */
export function statesRelations({ operations }: Manifest): boolean {
  return operations.some((operation) => operation.kind === 'product' && operation.relations !== undefined)
}

/** Identity of a manifest: SHA-256 of its deterministic CBOR, 64 hexadecimal digits. */
export function manifestDigest(manifest: Manifest): string {
  // What is absent and what is undefined are the same manifest.
  const bytes = encodeControl(JSON.parse(JSON.stringify(manifest)))
  return bytesToHex(sha256.hash(...fieldParts('manifest', bytes)))
}
