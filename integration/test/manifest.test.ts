import { createProver, type Manifest, parseManifest, recordManifest, type Verdict } from '@tensor-assay/core'
import { memoryTransport } from '@tensor-assay/core/testing'
import { createVerifier, interactive, memoryWeights, spot } from '@tensor-assay/verifier'
import { beforeAll, describe, expect, test } from 'vitest'
import { multiply, noise, type Plain, plain, plainLibrary } from '../support/plain-backend.ts'

const x = plain(24, 32, noise(1))
const w1 = plain(32, 32, noise(2))
const w2 = plain(32, 32, noise(3))
const stranger = plain(32, 32, noise(4))
const store = memoryWeights([
  { name: 'first', shape: [32, 32], data: w1.data },
  { name: 'second', shape: [32, 32], data: w2.data },
])
type Library = ReturnType<typeof plainLibrary>

/** Two layers and a product of two activations, as attention has it. */
function model({ matMul }: Pick<Library, 'matMul'>, input = x): Plain {
  const h = matMul(input, w1)
  const y = matMul(h, w2)
  return matMul(y, transpose(h))
}

function transpose({ rows, cols, data }: Plain): Plain {
  return plain(cols, rows, (i) => data[(i % rows) * cols + Math.floor(i / rows)]!)
}

let manifest: Manifest
beforeAll(async () => {
  const library = plainLibrary()
  const runs = [() => model(library), () => model(library, plain(7, 32, noise(9)))]
  manifest = await recordManifest({ backend: library.backend, weights: store, runs })
})

let names = 0
async function audit(
  run: (library: Library) => unknown,
  options: { steps?: number; policy?: ReturnType<typeof spot> } = {},
): Promise<Verdict> {
  const transport = memoryTransport()
  const verifier = createVerifier({ weights: store, manifest, policy: options.policy ?? interactive() })
  let verdict: Promise<Verdict> | undefined
  const listener = await transport.listen(`memory:manifest-${names++}`, (channel) => {
    verdict = verifier.accept(channel)
  })
  const library = plainLibrary()
  const prover = await createProver({ backend: library.backend, channel: await transport.dial(listener.address) })
  for (let step = 0; step < (options.steps ?? 1); step++) await prover.audit(() => run(library))
  await prover.close()
  await listener.close()
  return verdict!
}

const reasons = ({ findings }: Verdict) => findings.map(({ reason }) => reason)

test('a recorded manifest has what all runs have in common', () => {
  expect(manifest.operations.map((operation) => operation.kind === 'product' && operation.layout)).toEqual([
    { kind: 'matmul', k: 32, n: 32 },
    { kind: 'matmul', k: 32, n: 32 },
    { kind: 'matmul', k: 32, n: null },
  ])
  expect(manifest.operations.map((operation) => operation.kind === 'product' && operation.links)).toEqual([
    {},
    { a: { operation: 0, tensor: 'c' } },
    { a: { operation: 1, tensor: 'c' } },
  ])
  expect(parseManifest(JSON.stringify(manifest))).toEqual(manifest)
})

test('a run that does what the manifest says passes, with products of activations', async () => {
  const verdict = await audit((library) => model(library), { steps: 3 })
  expect(verdict.findings).toEqual([])
  expect(verdict.coverage).toMatchObject({ operations: 9, audited: 9, manifestSteps: 3, manifestLinks: 6 })
})

test('so does a run on another number of rows', async () => {
  expect((await audit((library) => model(library, plain(11, 32, noise(5))))).status).toBe('pass')
})

test('in spot mode operations are compared and links are not', async () => {
  const verdict = await audit((library) => model(library), { policy: spot() })
  expect(verdict.findings).toEqual([])
  expect(verdict.coverage).toMatchObject({ manifestSteps: 1, manifestLinks: 0 })
})

describe('what is not as the manifest says fails', () => {
  const product = (a: Plain, b: Plain) => multiply(a, b)
  const cases: Record<string, [reason: string, run: (library: Library) => unknown]> = {
    'an operation is left out': [
      'operation-omitted',
      ({ matMul }) => {
        const y = matMul(matMul(x, w1), w2)
        return product(y, transpose(y))
      },
    ],
    'the middle one is left out': [
      'operation-omitted',
      ({ matMul }) => {
        const h = matMul(x, w1)
        return matMul(product(h, w2), transpose(h))
      },
    ],
    'all are left out': ['operation-omitted', ({ matMul }) => matMul(x, w2)],
    'one is added': ['operation-unexpected', (library) => library.matMul(model(library), x)],
    'one runs twice': [
      'operation-mismatch',
      ({ matMul }) => {
        matMul(x, w1)
        return model({ matMul })
      },
    ],
    'two layers change places': [
      'operation-mismatch',
      ({ matMul }) => {
        const h = matMul(x, w2)
        const y = matMul(h, w1)
        return matMul(y, transpose(h))
      },
    ],
    // It passes for the product of activations, which the manifest has further down.
    'another weight is used openly': [
      'operation-omitted',
      ({ matMul }) => {
        const h = matMul(x, stranger)
        return matMul(matMul(h, w2), transpose(h))
      },
    ],
    'a weight is used where an activation belongs': [
      'operation-mismatch',
      ({ matMul }) => matMul(matMul(matMul(x, w1), w2), w2),
    ],
    'the input of a layer is not the output of the one before': [
      'link-broken',
      ({ matMul }) => {
        const h = matMul(x, w1)
        const y = matMul(plain(24, 32, noise(6)), w2)
        return matMul(y, transpose(h))
      },
    ],
  }
  test.each(Object.entries(cases))('%s', async (_, [reason, run]) => {
    const verdict = await audit(run)
    expect(verdict.status).toBe('fail')
    expect(reasons(verdict)).toContain(reason)
  })

  test('a step that begins and does not end', async () => {
    let step = 0
    const verdict = await audit((library) => (step++ === 0 ? model(library) : library.matMul(x, w1)), { steps: 2 })
    expect(reasons(verdict)).toEqual(['operation-omitted'])
    expect(verdict.findings[0]!.message).toBe('operations 1 to 2 of step 1, from matMul on, were not declared')
  })
})

describe('a manifest file that is not one is refused', () => {
  const change = (path: readonly (string | number)[], value: unknown) => {
    const changed = structuredClone(manifest)
    let at = changed as unknown as Record<string | number, unknown>
    for (const key of path.slice(0, -1)) at = at[key] as Record<string | number, unknown>
    at[path.at(-1)!] = value
    return JSON.stringify(changed)
  }
  test.each([
    ['not JSON', () => '{', 'not JSON'],
    ['another version', () => change(['version'], 2), 'version'],
    ['an unknown field', () => change(['operations', 0, 'tolerance'], 1), 'tolerance'],
    ['a missing field', () => change(['operations', 0, 'profile'], undefined), 'profile'],
    ['a link to itself', () => change(['operations', 1, 'links', 'a', 'operation'], 1), 'operation 1'],
  ])('%s', (_, file, message) => {
    expect(() => parseManifest(file())).toThrow(
      expect.objectContaining({ code: 'manifest-malformed', message: expect.stringContaining(message) }),
    )
  })
})
