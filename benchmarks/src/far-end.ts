// The other end of the transports that are measured, in a process of its own.
import { type CarrierName, carriers, type Pipe } from './pipes.ts'

/** What the other end is to do, as JSON in a message of its own. */
export type Order =
  /** Take in so many messages, then say so. */
  | { readonly kind: 'take'; readonly count: number }
  /** Send so many messages. */
  | { readonly kind: 'give'; readonly count: number; readonly bytes: number }
  /** Send back so many messages, one by one. */
  | { readonly kind: 'return'; readonly count: number }

export type Addresses = Readonly<Record<CarrierName, string>>

async function serve(pipe: Pipe): Promise<void> {
  let message = new Uint8Array(0)
  for (;;) {
    const text = await pipe.receive()
    if (text === undefined) return
    const order = JSON.parse(Buffer.from(text).toString()) as Order
    if (order.kind === 'give') {
      if (message.length !== order.bytes) message = new Uint8Array(order.bytes).fill(7)
      for (let i = 0; i < order.count; i++) await pipe.send(message)
      continue
    }
    let received = 0
    for (let i = 0; i < order.count; i++) {
      const taken = await pipe.receive()
      if (taken === undefined) return
      received += taken.length
      if (order.kind === 'return') await pipe.send(taken)
    }
    if (order.kind === 'take') await pipe.send(Buffer.from(String(received)))
  }
}

const addresses: Partial<Record<CarrierName, string>> = {}
for (const [name, carrier] of Object.entries(carriers)) {
  addresses[name as CarrierName] = await carrier.listen((pipe) => void serve(pipe))
}
process.send?.(addresses)
process.on('disconnect', () => process.exit())
