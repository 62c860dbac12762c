import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { join } from '../src/damage.ts'
import { judge } from '../src/judge.ts'
import { installMeter, type Meter } from '../src/meter.ts'
import { randomOf } from '../src/random.ts'
import type { Target } from '../src/target.ts'
import { targetNamed, targetNames } from '../src/targets/index.ts'

/** Targets that audit a model, write a file, verify a signature or open a connection for each input: they get fewer. */
const inputsFor: Readonly<Record<string, number>> = {
  receipt: 60,
  session: 60,
  'spot-session': 60,
  audit: 200,
  'identity-file': 200,
  signature: 200,
  'ws-upgrade': 200,
}
const inputsElsewhere = 1500

let meter: Meter
beforeAll(() => {
  meter = installMeter()
})
afterAll(() => meter.remove())

async function accepts(target: Target, input: Uint8Array): Promise<boolean> {
  const before = Buffer.from(input).toString('hex')
  const { accepted, problem } = await judge(target, input, meter)
  if (problem !== undefined) throw new Error(`${problem}\ninput: ${before}`)
  expect(Buffer.from(input).toString('hex'), 'the input as it was').toBe(before)
  return accepted
}

/** At most `most` numbers from 0 to `end` − 1, evenly spread, the first and the last among them. */
function spread(end: number, most: number): number[] {
  if (end <= most) return Array.from({ length: end }, (_, i) => i)
  return Array.from({ length: most }, (_, i) => Math.floor((i * (end - 1)) / (most - 1)))
}

/** One change of a byte string, which shrinks to a smaller one. */
const edit = fc.oneof(
  fc.tuple(fc.nat(), fc.nat({ max: 7 })).map(([at, bit]) => (bytes: Uint8Array) => {
    const out = bytes.slice()
    if (out.length > 0) out[at % out.length]! ^= 1 << bit
    return out
  }),
  fc
    .tuple(fc.nat(), fc.uint8Array({ maxLength: 9 }), fc.nat({ max: 9 }))
    .map(([at, put, over]) => (bytes: Uint8Array) => {
      const place = at % (bytes.length + 1)
      return join(bytes.subarray(0, place), put, bytes.subarray(Math.min(bytes.length, place + over)))
    }),
  fc
    .tuple(fc.nat(), fc.constantFrom(0, 1, 127, 128, 255, 2 ** 16, 2 ** 31, 2 ** 32 - 1))
    .map(([at, value]) => (bytes: Uint8Array) => {
      const out = bytes.slice()
      const place = at % (bytes.length + 1)
      if (place + 4 <= out.length) new DataView(out.buffer).setUint32(place, value, at % 2 === 0)
      return out
    }),
)

describe.each(targetNames)('%s', (name) => {
  let target: Target
  let seeds: readonly Uint8Array[]
  const most = inputsFor[name] ?? inputsElsewhere
  beforeAll(async () => {
    target = await targetNamed(name)
    seeds = target.seeds()
  })

  test('accepts what is right, at any alignment', async () => {
    // The seeds of an audit are choices: most of them end in a verdict that is no pass.
    const isRight = name !== 'audit'
    for (const seed of seeds) {
      for (const offset of [0, 1, 3, 4]) {
        const memory = new Uint8Array(seed.length + 16).fill(0xee)
        memory.set(seed, offset)
        const accepted = await accepts(target, memory.subarray(offset, offset + seed.length))
        if (isRight) expect(accepted, `seed ${Buffer.from(seed).toString('hex')}`).toBe(true)
      }
    }
  })

  test('of what is right, no beginning is, and nothing may follow', async () => {
    for (const seed of seeds) {
      for (const length of spread(seed.length, Math.ceil(most / seeds.length))) {
        const accepted = await accepts(target, seed.subarray(0, length))
        if (target.isWhole ?? true) expect(accepted, `the first ${length} bytes`).toBe(false)
      }
      for (const byte of [0x00, 0xff]) {
        const accepted = await accepts(target, join(seed, Uint8Array.of(byte)))
        if (target.isWhole ?? true) expect(accepted, `with ${byte} after it`).toBe(false)
      }
    }
  })

  test('gives a value or a documented error for every flipped bit', async () => {
    for (const seed of seeds) {
      for (const bit of spread(8 * seed.length, Math.ceil(most / seeds.length))) {
        const flipped = seed.slice()
        flipped[bit >> 3]! ^= 1 << (bit & 7)
        await accepts(target, flipped)
      }
    }
  })

  test('keeps its promises for any bytes, and for what is nearly right', async () => {
    const noise = fc.uint8Array({ maxLength: Math.min(300, target.maxInputBytes) })
    const seed = fc.nat({ max: seeds.length - 1 }).map((i) => seeds[i]!)
    const edited = fc.tuple(seed, fc.array(edit, { minLength: 1, maxLength: 4 })).map(([bytes, edits]) => {
      return edits.reduce((changed, one) => one(changed), bytes).subarray(0, target.maxInputBytes)
    })
    const rewritten = fc.tuple(seed, fc.nat(), fc.nat({ max: 3 })).map(([bytes, number, more]) => {
      const random = randomOf(number)
      let out = target.rewrite?.(bytes, random) ?? bytes
      for (let i = 0; i < more; i++) out = target.rewrite?.(out, random) ?? out
      return out.subarray(0, target.maxInputBytes)
    })
    await fc.assert(
      fc.asyncProperty(fc.oneof(noise, edited, rewritten), async (bytes) => {
        await accepts(target, bytes)
      }),
      { seed: 1, numRuns: most },
    )
  })
})
