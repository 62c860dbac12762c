import { AssayError, type Channel, decodeReceipt, rows } from '@tensor-assay/core'
import { interactive, type Policy, spot } from '@tensor-assay/verifier'
import { preparedWeights } from '../../../packages/verifier/src/prepared-weights.ts'
import { Session } from '../../../packages/verifier/src/session.ts'
import { withFixedRandomness } from '../fixed-randomness.ts'
import { smallSession, weights } from '../model.ts'
import { promised, sameBytes, type Target } from '../target.ts'
import { complete, rewriteMessages } from './receipt.ts'

const prepared = preparedWeights(weights)

/** A verifier's end of a session that takes what the input holds, message after message, whatever it answers. */
async function session(name: string, policy: Policy): Promise<Target> {
  const seeds = [await smallSession(policy)]
  return {
    name,
    maxInputBytes: 16_384,
    allowedBytes: (length) => 2 ** 20 + 512 * length,
    isWhole: false,
    seeds: () => seeds,
    rewrite: rewriteMessages,
    check: (input) =>
      withFixedRandomness(async () => {
        const nobody = undefined
        const quiet = { inputs: [], outputs: [], onChecked: () => undefined, manifest: nobody }
        const strangers = { identity: nobody, provers: nobody, channel: sink() }
        const conversation = new Session({ policy, store: weights, prepared, ...quiet, ...strangers })
        try {
          await converse(conversation, decodeReceipt(input))
        } catch (error) {
          if (!AssayError.isInstance(error)) throw error
          conversation.interrupted(error)
        }
        const verdict = await conversation.conclude()
        complete(verdict)
        const isHonest = seeds.some((seed) => sameBytes(seed, input))
        // What comes after the close is not read any more.
        const mayPass = isHonest || seeds.some((seed) => sameBytes(seed, input.subarray(0, seed.length)))
        promised(verdict.status !== 'pass' || mayPass, 'a session passes that is not the honest one')
        promised(verdict.status === 'pass' || !isHonest, 'the honest session does not pass')
        return verdict.status === 'pass'
      }),
  }
}

/** What a verifier does with the messages of a channel. */
async function converse(conversation: Session, messages: Iterable<Uint8Array>): Promise<void> {
  for (const message of messages) if (await conversation.receive(message)) return
  throw new AssayError('channel-lost', 'the input ends before the session is closed')
}

/** A channel into the void. */
function sink(): Channel {
  return {
    peer: 'the fuzzer',
    maxMessageBytes: 2 ** 26,
    send: async () => undefined,
    close: async () => undefined,
    abort: () => undefined,
    async *[Symbol.asyncIterator]() {},
  }
}

const sampler = rows({ atLeast: 2 })

export const interactiveSession = await session('session', interactive({ sampler, window: 4, maxOperations: 64 }))
export const spotSession = await session('spot-session', spot({ sampler, maxOperations: 64 }))
