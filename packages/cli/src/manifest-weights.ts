import { type Manifest, operandNames, type WeightStore } from '@tensor-assay/core'

/** Digests of the public tensors that a manifest names, each once, in the order of its operations. */
export function namedWeights({ operations }: Manifest): ReadonlySet<string> {
  const digests = new Set<string>()
  for (const operation of operations) {
    if (operation.kind === 'opaque') continue
    const { b, bias, scales, zeroPoints, activation } = operation
    const slopes = activation.name === 'prelu' ? activation.slopes : undefined
    const steps = operandNames.flatMap((name) => operation.relations?.[name] ?? [])
    const derived = steps.flatMap((step) => (step.op === 'weight' ? step.digest : []))
    for (const digest of [...derived, b?.digest, bias, scales, zeroPoints?.b, slopes]) if (digest) digests.add(digest)
  }
  return digests
}

/** Those of {@link namedWeights} that a store lacks. */
export function unheldWeights(manifest: Manifest, store: WeightStore): string[] {
  return [...namedWeights(manifest)].filter((digest) => store.find(digest) === undefined)
}
