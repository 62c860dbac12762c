import { type Control, encodeMessage, encodeReceipt, maxFindings } from '@tensor-assay/core'
import { expect, test } from 'vitest'
import { memoryWeights, receipt, verifyReceipt } from '../src/index.ts'

const hello = encodeMessage('hello', {
  versions: [1],
  suites: [],
  modes: [],
  samplers: [],
  nonce: new Uint8Array(32),
  backend: 'hand',
})
const terms: Control<'policy'> = {
  version: 1,
  mode: 'receipt',
  suite: 'sha256',
  sampler: { name: 'rows', parameters: {} },
  nonce: new Uint8Array(32),
  window: 1,
  weights: new Uint8Array(0),
}

/** What is said of a receipt that ends after its terms. */
function verdictOn(changes: Partial<Control<'policy'>>) {
  const messages = [hello, encodeMessage('policy', { ...terms, ...changes })]
  const bytes = encodeReceipt(messages.map((parts) => new Uint8Array(Buffer.concat(parts))))
  return verifyReceipt(bytes, { weights: memoryWeights([]), policy: receipt({ iterations: 1 }) })
}

// Once copied into the verdict whatever the file had there.
test('a verdict quotes of a receipt no more than a line', async () => {
  const parameters = Object.fromEntries(
    Array.from({ length: 32 }, (_, i) => [`${i}`.padStart(64, '\u202e'), 1e300 + i]),
  )
  const { findings } = await verdictOn({
    mode: 'm'.repeat(512),
    suite: 's'.repeat(512),
    sampler: { name: 'n'.repeat(512), parameters },
  })
  expect(findings.length).toBeLessThan(maxFindings)
  expect(findings.filter(({ reason }) => reason === 'policy-mismatch')).toHaveLength(5)
  for (const { message } of findings) {
    expect(message.length).toBeLessThan(300)
    expect(message).not.toContain('\u202e')
  }
})

// Once −Infinity bits, which no message can carry.
test('a receipt without iterations is refused, and what is said of its cost is a number', async () => {
  const { status, detection } = await verdictOn({})
  expect(status).toBe('fail')
  expect(detection.byFraction.map(({ receiptBits }) => receiptBits)).toEqual([0, 0, 0, 0])
})
