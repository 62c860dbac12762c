import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Control, encodeMessage } from '@tensor-assay/core'
import { encodeHeader, kinds } from '../../packages/transport-tcp/src/wire.ts'
import { framed, framedBytes, hello, preamble, RawProver, strangeProduct } from './raw-prover.ts'

/** What one hostile connection does, until it is ended or told to stop. */
type Behaviour = (prover: RawProver, signal: AbortSignal) => Promise<void>

const bytesInFlight = 3 * 1024 * 1024

/**
 * Between two messages of a flood. All connections and both sides share a processor or two here: what is shown is that
 * nothing grows, not how much can be answered.
 */
const pause = (signal: AbortSignal) => sleep(500, undefined, { signal })

/** A commitment to products that a verifier would audit, were they not by an unknown weight. */
function commit(first: number, count: number, tensors: Control<'commit'>['tensors'] = []): Buffer {
  const records = Array.from({ length: count }, (_, i) => strangeProduct(first + i))
  return framed('commit', { records, tensors })
}

/** A hello of 4 MiB, of nothing but wrong versions. */
const bomb = (() => {
  const [head] = encodeMessage('hello', { ...hello, versions: [] })
  const items = 4 * 2 ** 20 - 64
  const list = Buffer.alloc(5 + items, 0x20)
  list[0] = 0x9a
  list.writeUInt32BE(items, 1)
  const control = Buffer.concat([Buffer.from([0xa1, 0x68]), Buffer.from('versions'), list])
  const frame = Buffer.concat([head!.subarray(0, 12), control])
  frame.writeUInt32LE(control.length, 8)
  return framedBytes(frame)
})()

/** Of a thousand hostile connections, about so many behave so. */
export const behaviours: Readonly<Record<string, readonly [share: number, behave: Behaviour]>> = {
  'connects and says nothing': [
    300,
    async (prover) => {
      await prover.ended
    },
  ],
  'sends a byte now and then': [
    300,
    async (prover, signal) => {
      const bytes = Buffer.concat([preamble, framed('hello', hello)])
      for (let i = 0; i < bytes.length && !prover.socket.destroyed; i++) {
        await prover.write(bytes.subarray(i, i + 1))
        await sleep(1000, undefined, { signal })
      }
      await prover.ended
    },
  ],
  'opens a session and falls silent': [
    250,
    async (prover) => {
      await prover.open()
      await prover.ended
    },
  ],
  'makes the verifier answer, and never reads': [
    80,
    async (prover, signal) => {
      await prover.open()
      prover.socket.pause()
      for (let i = 0; !prover.socket.destroyed; i += 256) {
        await prover.write(commit(i, 256))
        await pause(signal)
      }
    },
  ],
  'commits without opening': [
    40,
    async (prover, signal) => {
      await prover.open()
      for (let i = 0; !prover.socket.destroyed; i += 64) {
        await prover.write(commit(i, 64))
        await pause(signal)
      }
    },
  ],
  'commits to tensors that nothing uses': [
    20,
    async (prover, signal) => {
      await prover.open()
      const root = new Uint8Array(32)
      for (let i = 0; !prover.socket.destroyed; i++) {
        const shape = { rows: 1, cols: 1, dtype: 'float32' as const, root }
        const tensors = Array.from({ length: 3072 }, (_, t) => ({ tensor: 3072 * i + t, ...shape }))
        await prover.write(commit(i, 1, tensors))
        await pause(signal)
      }
    },
  ],
  'declares a long message and sends a part': [
    120,
    async (prover, signal) => {
      await prover.write(Buffer.concat([preamble, encodeHeader(kinds.message, 2 ** 26)]))
      await prover.write(Buffer.alloc(bytesInFlight))
      await prover.ended
      await sleep(5000, undefined, { signal })
    },
  ],
  'declares more than is allowed': [
    20,
    async (prover) => {
      await prover.write(Buffer.concat([preamble, encodeHeader(kinds.message, 2 ** 32 - 1)]))
      await prover.ended
    },
  ],
  'declares a product of thousands of millions of rows': [
    20,
    async (prover) => {
      await prover.open()
      await prover.write(framed('commit', { records: [strangeProduct(0, 2 ** 31)], tensors: [] }))
      await prover.ended
    },
  ],
  'sends a control map of millions of wrong elements': [
    10,
    async (prover, signal) => {
      await prover.write(Buffer.concat([preamble, bomb]))
      await prover.ended
      await sleep(5000, undefined, { signal })
    },
  ],
  'sends nonsense': [
    20,
    async (prover) => {
      await prover.write(Buffer.from('GET / HTTP/1.1\r\nHost: auditor\r\n\r\n'))
      await prover.ended
    },
  ],
  'comes and goes': [
    20,
    async (prover, signal) => {
      await prover.write(Buffer.concat([preamble, framed('hello', hello)]))
      await sleep(20, undefined, { signal })
    },
  ],
}

export interface Crowd {
  /** Connections that are open on this side. */
  readonly open: number
  /** Connections made so far. */
  readonly made: number
  stop(): Promise<void>
}

/** So many hostile connections, of every kind by its share. Each that ends is followed by another of its kind. */
export function hostileCrowd(address: string, size: number, seconds = 0.2): Crowd {
  const stopping = new AbortController()
  const { signal } = stopping
  setMaxListeners(0, signal)
  const shares = Object.values(behaviours)
  const total = shares.reduce((sum, [share]) => sum + share, 0)
  const each = shares.flatMap(([share, behave]) =>
    Array.from({ length: Math.ceil((size * share) / total) }, () => behave),
  )
  let open = 0
  let made = 0

  async function again(behave: Behaviour): Promise<void> {
    while (!signal.aborted) {
      const prover = new RawProver(address)
      const stop = () => prover.destroy()
      signal.addEventListener('abort', stop)
      open++
      made++
      try {
        await behave(prover, signal)
      } catch {
        // Whatever it was told, it has had its effect.
      }
      prover.destroy()
      open--
      signal.removeEventListener('abort', stop)
      await sleep(1000 * seconds, undefined, { signal }).catch(() => {})
    }
  }
  const all = each.map(again)
  return {
    get open() {
      return open
    },
    get made() {
      return made
    },
    async stop() {
      stopping.abort()
      await Promise.all(all)
    },
  }
}
