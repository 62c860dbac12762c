import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Addresses, Order } from './far-end.ts'
import { versionOf } from './machine.ts'
import { type Comparison, compare, interleave, type Spread, spread } from './measure.ts'
import { type CarrierName, carriers, type Pipe } from './pipes.ts'
import { difference, type Section, type Suite, type SuiteOptions } from './report.ts'

/** What the framing of transport-ws may cost over bare `ws`, as a fraction of its time. */
const allowed = 0.1

/** Times of one sample, milliseconds for each message. */
export interface Sample {
  readonly to: number
  readonly from: number
  readonly roundTrip: number
}

const measures = ['to', 'from', 'roundTrip'] as const

interface Arm {
  readonly name: string
  readonly carrier: CarrierName
}

const baseline = 'ws'
const again = 'ws again'
const control = 'control: base64 over ws'
const arms: readonly Arm[] = [
  { name: baseline, carrier: 'ws' },
  { name: again, carrier: 'ws' },
  { name: 'transport-ws', carrier: 'transport-ws' },
  { name: 'transport-tcp', carrier: 'transport-tcp' },
  { name: control, carrier: 'base64' },
]

/** What transports cost over a bare WebSocket, for messages of the size of openings. */
export const transportsSuite: Suite = {
  name: 'transports',
  versions: { ws: versionOf('ws') },
  async *run(options) {
    const sizes = [
      ['64 KiB', 2 ** 16],
      ['1 MiB', 2 ** 20],
    ] as const
    const wanted = sizes.map(([name, bytes]) => ({ title: `transports: messages of ${name}`, bytes }))
    if (!wanted.some(({ title }) => options.wants(title))) return
    const child = fork(new URL('./far-end.ts', import.meta.url))
    const [addresses] = (await once(child, 'message')) as [Addresses]
    const pipes = new Map<string, Pipe>()
    for (const { name, carrier } of arms) pipes.set(name, await carriers[carrier].dial(addresses[carrier]))
    for (const { title, bytes } of wanted) {
      if (options.wants(title)) yield transportsSection(title, bytes, await measure(title, bytes, pipes, options))
    }
    for (const pipe of pipes.values()) await pipe.close()
    child.disconnect()
  },
}

async function measure(
  title: string,
  bytes: number,
  pipes: ReadonlyMap<string, Pipe>,
  { quick, random, onProgress }: SuiteOptions,
) {
  const count = Math.max(8, ((quick ? 16 : 64) * 2 ** 20) / bytes)
  const message = new Uint8Array(bytes).fill(9)
  const samplers = [...pipes].map(([name, pipe]) => ({ name, sample: () => sampleOf(pipe, message, count) }))
  const rounds = quick ? 12 : 40
  const onRound = (round: number) => onProgress(`${title}: round ${round + 1} of ${rounds}`)
  return interleave(samplers, { rounds, warmUps: 3, random, onRound })
}

/** Sends `count` messages one way, then the other way, then an eighth of them there and back. */
async function sampleOf(pipe: Pipe, message: Uint8Array, count: number): Promise<Sample> {
  const order = (what: Order) => pipe.send(Buffer.from(JSON.stringify(what)))
  const start = performance.now()
  await order({ kind: 'take', count })
  for (let i = 0; i < count; i++) await pipe.send(message)
  const counted = Number(Buffer.from((await pipe.receive())!).toString())
  if (counted !== count * message.length) throw new Error(`sent ${count * message.length} bytes, ${counted} arrived`)
  const sent = performance.now()
  await order({ kind: 'give', count, bytes: message.length })
  for (let i = 0; i < count; i++) await expectMessage(pipe, message.length)
  const received = performance.now()
  const trips = count / 8
  await order({ kind: 'return', count: trips })
  for (let i = 0; i < trips; i++) {
    await pipe.send(message)
    await expectMessage(pipe, message.length)
  }
  const returned = performance.now()
  return { to: (sent - start) / count, from: (received - sent) / count, roundTrip: (returned - received) / trips }
}

async function expectMessage(pipe: Pipe, bytes: number): Promise<void> {
  const message = await pipe.receive()
  if (message?.length !== bytes) throw new Error(`expected a message of ${bytes} bytes, got ${message?.length}`)
}

/** What a transport takes beside bare `ws`, for people. */
export function transportsSection(
  title: string,
  bytes: number,
  samples: ReadonlyMap<string, readonly Sample[]>,
): Section {
  const values = (name: string, measure: keyof Sample) => samples.get(name)!.map((sample) => sample[measure])
  const comparisons = new Map<string, Comparison>()
  const failures: string[] = []
  for (const { name } of arms) {
    if (name === baseline) continue
    for (const measure of measures) {
      const comparison = compare(values(baseline, measure), values(name, measure))
      comparisons.set(`${name} ${measure}`, comparison)
      // The interval of the median, so that a disturbed run does not decide.
      const [least, most] = comparison.interval
      if (name === 'transport-ws' && least > allowed)
        failures.push(`${name} takes ${difference(comparison)} of ${baseline}, ${measure}`)
      if (name === control && most < allowed)
        failures.push(`${name} does not come out slower, ${measure}: nothing would`)
    }
  }
  const rate = (perMessage: number) => (bytes / perMessage / 1000).toFixed(0)
  const rates = ({ lower, median, upper }: Spread) => `${rate(median)} [${rate(upper)}, ${rate(lower)}]`
  const times = ({ lower, median, upper }: Spread) => `${median.toFixed(3)} [${lower.toFixed(3)}, ${upper.toFixed(3)}]`
  const rows = arms.map(({ name }) => [
    name,
    ...measures.flatMap((measure) => {
      const shown = measure === 'roundTrip' ? times : rates
      const comparison = comparisons.get(`${name} ${measure}`)
      return [shown(spread(values(name, measure))), comparison === undefined ? '' : difference(comparison)]
    }),
  ])
  const columns = [
    '',
    'to the listener, MB/s',
    'time over ws',
    'from the listener, MB/s',
    'time over ws',
    'there and back, ms',
    'time over ws',
  ]
  return {
    title,
    tables: [{ columns, rows }],
    notes: [
      `${samples.get(baseline)!.length} rounds; medians [quartiles], differences with an interval of their median`,
    ],
    failures,
    data: Object.fromEntries(samples),
  }
}
