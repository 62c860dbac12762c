import { bytesToHex } from '@noble/hashes/utils.js'
import type { OperationRecord, ProductRecord } from '../codec/messages.ts'
import type { ManifestOperation, ManifestProduct } from './manifest.ts'

/**
 * Whether a record is the operation that a manifest expects; links are not looked at.
 *
 * @returns What differs, for people to read; undefined if nothing does.
 */
export function mismatch(expected: ManifestOperation, record: OperationRecord): string | undefined {
  if (expected.kind !== record.kind) {
    return record.kind === 'opaque' ? `it is not stated as a product: ${record.reason}` : 'it is stated as a product'
  }
  if (expected.kind === 'opaque' || record.kind === 'opaque') {
    return different('operation', expected.operation, record.operation) ?? different('node', expected.node, record.node)
  }
  return (
    different('operation', expected.operation, record.operation) ??
    different('node', expected.node, record.node) ??
    layoutMismatch(expected.layout, record.layout) ??
    weightMismatch(expected.b, record.b) ??
    different('an addend', expected.addend, record.addend === undefined ? undefined : true) ??
    different('profile', expected.profile, record.profile) ??
    different('blocks in which A is rounded', expected.roundedBlocks, record.roundedBlocks) ??
    // null: differs from run to run.
    (expected.alpha === null ? undefined : different('alpha', expected.alpha, record.alpha)) ??
    different('scales', expected.scales, hex(record.scales)) ??
    different('bias', expected.bias, hex(record.bias)) ??
    different('beta', expected.beta, record.beta) ??
    activationMismatch(expected.activation, record.activation) ??
    zeroPointMismatch(expected, record)
  )
}

function layoutMismatch(expected: ManifestProduct['layout'], layout: ProductRecord['layout']): string | undefined {
  const actual: Readonly<Record<string, unknown>> = { ...layout }
  for (const [name, value] of Object.entries(expected)) {
    const problem = value === null ? undefined : different(name, value, actual[name])
    if (problem) return problem
  }
  return undefined
}

function weightMismatch(expected: ManifestProduct['b'], b: ProductRecord['b']): string | undefined {
  const actual = b.kind === 'weight' ? { digest: bytesToHex(b.digest), transposed: b.transposed } : null
  return (
    different('weight', expected?.digest ?? 'an activation', actual?.digest ?? 'an activation') ??
    different('transposed', expected?.transposed, actual?.transposed)
  )
}

function activationMismatch(
  expected: ManifestProduct['activation'],
  activation: ProductRecord['activation'],
): string | undefined {
  return different(
    'activation',
    expected,
    activation.name === 'prelu' ? { name: 'prelu', slopes: hex(activation.slopes) } : activation,
  )
}

function zeroPointMismatch(expected: ManifestProduct, record: ProductRecord): string | undefined {
  const wanted = expected.zeroPoints
  const got = record.zeroPoints
  return (
    different('zero points', wanted === undefined, got === undefined) ??
    different('zero points of B', wanted?.b, hex(got?.b)) ??
    (wanted?.a === null ? undefined : different('zero point of A', wanted?.a, got?.a)) ??
    (expected.zeroPoint === null ? undefined : different('zero point of C', expected.zeroPoint, record.zeroPoint))
  )
}

function hex(vector: { readonly digest: Uint8Array } | undefined): string | undefined {
  return vector && bytesToHex(vector.digest)
}

function different(name: string, expected: unknown, actual: unknown): string | undefined {
  const [wanted, got] = [JSON.stringify(expected), JSON.stringify(actual)]
  return wanted === got ? undefined : `${name} is ${got ?? 'absent'}, not ${wanted ?? 'absent'}`
}
