import { type Channel, createProver, type ProverOptions, type Verdict } from '@tensor-assay/core'
import { inputOf, layers } from './model.ts'
import { type Cheat, type Plain, plainLibrary } from './plain-backend.ts'

/** A prover that runs the model of `model.ts`, step by step, on the plain library. */
export interface PlainSession {
  step(): Promise<Plain>
  close(): Promise<Verdict>
}

export async function plainSession(
  channel: Channel,
  { cheat, ...options }: { cheat?: Cheat } & Partial<ProverOptions> = {},
): Promise<PlainSession> {
  const library = plainLibrary(cheat)
  const prover = await createProver({ ...options, backend: library.backend, channel })
  const [first, second] = layers.map(({ shape: [rows, cols], data }) => ({ rows, cols, data }))
  let steps = 0
  return {
    step: () =>
      prover.audit(() => {
        const input = { rows: 16, cols: 24, data: inputOf(steps++) }
        return library.matMul(library.matMul(input, first!), second!)
      }),
    close: () => prover.close(),
  }
}
