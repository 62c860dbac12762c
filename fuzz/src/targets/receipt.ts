import {
  decodeFrame,
  decodeMessage,
  decodeReceipt,
  encodeFrame,
  encodeMessage,
  encodeReceipt,
  rows,
  type Verdict,
} from '@tensor-assay/core'
import { receipt as receiptPolicy, verifyReceipt } from '@tensor-assay/verifier'
import { join } from '../damage.ts'
import { smallReceipt, weights } from '../model.ts'
import type { Random } from '../random.ts'
import { attempt, promised, refused, sameBytes, type Target } from '../target.ts'
import { rewriteFrame } from './frame.ts'

/** Files of receipts, apart from what their messages say. */
export const receiptFile: Target = {
  name: 'receipt-file',
  maxInputBytes: 4096,
  allowedBytes: (length) => 1024 + 8 * length,
  isWhole: false,
  seeds: () => [
    encodeReceipt([]),
    encodeReceipt([new Uint8Array(0)]),
    encodeReceipt([Uint8Array.of(1, 2, 3), new Uint8Array(300)]),
  ],
  check(input) {
    const codes = ['receipt-malformed', 'version-unsupported'] as const
    const messages = attempt(() => [...decodeReceipt(input)], codes)
    if (messages === refused) return false
    for (const message of messages) promised(message.buffer === input.buffer, 'a message is not a view')
    promised(sameBytes(encodeReceipt(messages), input), 'its messages have another encoding')
    return true
  },
}

const sampler = rows({ atLeast: 3 })
const iterations = 1
const policy = receiptPolicy({ sampler, iterations })
const seeds = [await smallReceipt({ sampler, iterations })]

/** Whole receipts: nothing but an honest one passes, and what is wrong is always the file's fault. */
export const receipt: Target = {
  name: 'receipt',
  maxInputBytes: 16_384,
  allowedBytes: (length) => 2 ** 20 + 512 * length,
  seeds: () => seeds,
  rewrite: rewriteMessages,
  async check(input) {
    const verdict = await verifyReceipt(input, { weights, policy })
    complete(verdict)
    const isHonest = seeds.some((seed) => sameBytes(seed, input))
    promised(
      (verdict.status === 'pass') === isHonest,
      `${isHonest ? 'an honest' : 'a changed'} receipt: ${verdict.status}`,
    )
    return isHonest
  },
}

/** One of the messages is another, is missing, or comes twice. */
export function rewriteMessages(input: Uint8Array, random: Random): Uint8Array {
  try {
    const messages = [...decodeReceipt(input)]
    const place = random.below(messages.length)
    const action = random.below(8)
    if (action === 0) messages.splice(place, 1)
    else if (action === 1) messages.splice(random.below(messages.length + 1), 0, messages[place]!)
    else messages[place] = rewriteFrame(messages[place]!, random)
    return encodeReceipt(messages)
  } catch {
    return input
  }
}

/** A verdict must always fit into its message, and never speak of a defect of the verifier. */
export function complete(verdict: Verdict): void {
  const bytes = join(...encodeMessage('verdict', { verdict }))
  promised(decodeMessage(bytes).type === 'verdict', 'the verdict breaks its schema')
  promised(sameBytes(join(...encodeFrame(decodeFrame(bytes))), bytes), 'the verdict has two encodings')
  const defect = verdict.findings.find(({ reason }) => reason === 'internal')
  promised(defect === undefined, `hostile bytes count as a defect: ${defect?.message}`)
}
