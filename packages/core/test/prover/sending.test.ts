import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { OperationRecord } from '../../src/codec/messages.ts'
import { sha256 } from '../../src/commitment/suite.ts'
import { interactiveMode } from '../../src/prover/interactive.ts'
import type { ProverLink } from '../../src/prover/link.ts'
import { spotMode } from '../../src/prover/spot.ts'
import { knownWeights } from '../../src/prover/weights.ts'
import { grid } from '../../src/sampling/grid.ts'

const opaque = (sequence: number): OperationRecord => {
  return { kind: 'opaque', sequence, step: 0, operation: 'Loop', cause: 'unsupported', reason: 'its body' }
}

/** A link that only counts, and that has sent a message as soon as it is told to. */
function counting(mode: 'spot' | 'interactive') {
  const sent: unknown[] = []
  const link: ProverLink = {
    session: new Uint8Array(32),
    suite: sha256,
    sampler: grid(),
    policy: {
      version: 1,
      mode,
      suite: 'sha256',
      sampler: { name: 'grid', parameters: {} },
      nonce: new Uint8Array(32),
      window: 64,
      weights: new Uint8Array(0),
      spotSeed: new Uint8Array(32),
    },
    manifest: undefined,
    head: new Uint8Array(32),
    transcriptHash: () => '',
    send: async (type) => void sent.push(type),
    async *messages() {},
  }
  return { link, sent }
}

const modes = { spot: spotMode, interactive: interactiveMode } as const

for (const name of ['spot', 'interactive'] as const) {
  test(`${name}: what is recorded in the moment in which sending ends is sent, too`, async () => {
    for (let microtasks = 0; microtasks < 12; microtasks++) {
      const { link, sent } = counting(name)
      const failures: unknown[] = []
      const mode = modes[name]({
        link: {
          ...link,
          async send(type, control) {
            await link.send(type, control)
            if (sent.length > 1) return
            let moment = Promise.resolve()
            for (let i = 0; i < microtasks; i++) moment = moment.then(() => undefined)
            void moment.then(() => mode.opaque(opaque(1)))
          },
        },
        weights: knownWeights(new Uint8Array(0)),
        manifest: undefined,
        maxRetainedBytes: 2 ** 20,
        onLost: (error) => failures.push(error),
      })
      mode.opaque(opaque(0))
      for (let i = 0; i < 10; i++) await turn()
      expect(failures).toEqual([])
      expect(sent, `${microtasks} microtasks after the first message`).toHaveLength(2)
    }
  })
}
