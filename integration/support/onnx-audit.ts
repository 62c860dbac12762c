import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onnx } from '@tensor-assay/backend-onnx'
import {
  type Backend,
  createProver,
  type Manifest,
  recordManifest,
  type Verdict,
  type WeightStore,
} from '@tensor-assay/core'
import { memoryTransport } from '@tensor-assay/core/testing'
import { createVerifier, interactive, onnxWeights, type Policy } from '@tensor-assay/verifier'
import * as ort from 'onnxruntime-node'
import type { TestModel } from '../../packages/backend-onnx/test/models/index.ts'
import {
  contents,
  feedsFor,
  type Options,
  type Outputs,
  type Session,
} from '../../packages/backend-onnx/test/support/ort.ts'

let names = 0

/** The public weights of a model file, as a verifier without ONNX Runtime finds them. */
export async function publicWeights(file: Uint8Array): Promise<WeightStore> {
  const folder = mkdtempSync(join(tmpdir(), 'assay-onnx-'))
  const path = join(folder, 'model.onnx')
  writeFileSync(path, file)
  try {
    return await onnxWeights(path)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export interface OnnxAudit {
  readonly model: TestModel
  readonly weights: WeightStore
  readonly options?: Options
  readonly policy?: Policy
  readonly manifest?: Manifest
  /** Stands between the library and the prover. */
  readonly dishonest?: (backend: Backend) => Backend
  /** The model that is run, if it is another than the public one. */
  readonly run?: Uint8Array
  /** How often it is run, each time as a step; once unless given. */
  readonly runs?: number
  readonly inputs?: Parameters<ReturnType<typeof createVerifier>['accept']>[1]
}

/** Runs of a model under audit; what the verifier says, and what the last of them gave. */
export async function auditOnnx(audit: OnnxAudit): Promise<{ verdict: Verdict; outputs: Record<string, unknown> }> {
  const { model, weights, options, policy = interactive(), manifest, dishonest = (backend) => backend } = audit
  using backend = onnx(ort)
  const session = await ort.InferenceSession.create(audit.run ?? model.file, options)
  const transport = memoryTransport()
  const verifier = createVerifier({ weights, policy, ...(manifest && { manifest }) })
  let verdict: Promise<Verdict> | undefined
  const listener = await transport.listen(`memory:onnx-${names++}`, (channel) => {
    verdict = verifier.accept(channel, audit.inputs)
  })
  const prover = await createProver({ backend: dishonest(backend), channel: await transport.dial(listener.address) })
  const run = () => prover.audit(() => session.run(feedsFor(session, model.feeds)))
  let outputs: Outputs = await run()
  for (let i = 1; i < (audit.runs ?? 1); i++) outputs = await run()
  const kept = contents(outputs)
  await prover.close()
  await session.release()
  await listener.close()
  return { verdict: await verdict!, outputs: kept }
}

/** What a trusted run of the public model executes. */
export async function manifestOf(model: TestModel, weights: WeightStore, options?: Options): Promise<Manifest> {
  using backend = onnx(ort)
  const session: Session = await ort.InferenceSession.create(model.file, options)
  try {
    return await recordManifest({ backend, weights, runs: [() => session.run(feedsFor(session, model.feeds))] })
  } finally {
    await session.release()
  }
}
