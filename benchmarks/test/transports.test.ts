import { describe, expect, test } from 'vitest'
import { seededRandom } from '../src/measure.ts'
import { carriers, type Pipe } from '../src/pipes.ts'
import { type Sample, transportsSection } from '../src/transports.ts'

/** Samples of every arm, `factors` as long as those of bare `ws`. */
function samples(factors: Readonly<Record<string, number>>): Map<string, Sample[]> {
  const arms = {
    ws: 1,
    'ws again': 1,
    'transport-ws': 1.02,
    'transport-tcp': 0.5,
    'control: base64 over ws': 1.5,
    ...factors,
  }
  const random = seededRandom(3)
  const noise = () => 1 + 0.01 * random()
  return new Map(
    Object.entries(arms).map(([name, factor]) => [
      name,
      Array.from({ length: 12 }, () => ({
        to: factor * noise(),
        from: factor * noise(),
        roundTrip: 2 * factor * noise(),
      })),
    ]),
  )
}

describe('the section of a transport', () => {
  test('states rates and differences', () => {
    const { tables, failures } = transportsSection('64 KiB', 2 ** 16, samples({}))
    expect(failures).toEqual([])
    const own = tables[0]!.rows.find(([name]) => name === 'transport-ws')!
    expect(own[1]).toMatch(/^6[34] \[/)
    expect(own[2]).toMatch(/^\+[12]\.\d% \[/)
  })

  test.each([
    ['transport-ws', 1.2, /^transport-ws takes \+\d+\.\d% .* of ws, to$/],
    ['control: base64 over ws', 1, /^control: base64 over ws does not come out slower, to: nothing would$/],
  ])('fails if %s takes %d times as long', (name, factor, message) => {
    const { failures } = transportsSection('64 KiB', 2 ** 16, samples({ [name]: factor }))
    expect(failures).toHaveLength(3)
    expect(failures[0]).toMatch(message)
  })
})

test.each(Object.entries(carriers))('%s carries messages both ways, in order, and ends', async (_, carrier) => {
  let far: ((pipe: Pipe) => void) | undefined
  const accepted = new Promise<Pipe>((resolve) => {
    far = resolve
  })
  const near = await carrier.dial(await carrier.listen((pipe) => far!(pipe)))
  const other = await accepted
  const message = Uint8Array.from({ length: 100_000 }, (_, i) => i)
  await Promise.all([near.send(message), other.send(message.subarray(1)), near.send(message.subarray(2))])
  expect(Buffer.compare((await other.receive())!, message)).toBe(0)
  expect((await other.receive())!.length).toBe(99_998)
  expect(Buffer.compare((await near.receive())!, message.subarray(1))).toBe(0)
  await Promise.all([near.close(), other.receive().then((end) => expect(end).toBeUndefined()), other.close()])
})
