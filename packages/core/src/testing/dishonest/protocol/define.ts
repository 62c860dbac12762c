import type { Control, MessageType, ProductRecord, ProtocolMessage } from '../../../codec/messages.ts'
import type { Expected, MiddleAttack, ProverAttack } from '../attack.ts'
import type { Forger, Lie } from '../forger.ts'
import type { Interference } from '../middle.ts'
import { type Outgoing, say } from '../outgoing.ts'

type ProverExtras = Omit<Partial<ProverAttack>, 'kind' | 'by' | 'name' | 'description' | 'expected' | 'lie'>
type MiddleExtras = Omit<Partial<MiddleAttack>, 'kind' | 'by' | 'name' | 'description' | 'expected' | 'interfere'>

/** An attack by the prover. */
export function byProver(
  name: string,
  description: string,
  expected: Expected,
  lie: Lie | (() => Lie),
  extras: ProverExtras = {},
): ProverAttack {
  const start = typeof lie === 'function' ? lie : () => lie
  return { kind: 'protocol', by: 'prover', name, description, expected, lie: start, ...extras }
}

/** An attack by somebody in between. */
export function byMiddle(
  name: string,
  description: string,
  expected: Expected,
  interfere: () => Interference,
  extras: MiddleExtras = {},
): MiddleAttack {
  return { kind: 'protocol', by: 'middle', name, description, expected, interfere, ...extras }
}

export type MessageOf<T extends MessageType> = Extract<ProtocolMessage, { readonly type: T }>
type Rewrite<T extends MessageType> = (message: MessageOf<T>, forger: Forger) => readonly Outgoing[]

/** Rewrites the first message of a type, and leaves the others alone. */
export function first<T extends MessageType>(type: T, rewrite: Rewrite<T>): () => Lie {
  return () => {
    let done = false
    return {
      send(message, forger) {
        if (done || message.type !== type) return [message]
        done = true
        return rewrite(message as MessageOf<T>, forger)
      },
    }
  }
}

/** Changes fields of the first message of a type. Types are not enforced: the point may be to break the schema. */
export function changed<T extends MessageType>(
  type: T,
  change: (control: Control<T>, forger: Forger) => Readonly<Record<string, unknown>>,
): () => Lie {
  return first(type, ({ control, segments }, forger) => [
    say(type, { ...control, ...change(control, forger) } as Control<T>, segments),
  ])
}

/** The same fields without one of them. */
export function without(control: object, field: string): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(control).filter(([name]) => name !== field))
}

/** One record is declared otherwise. Types are not enforced: the point may be to break the schema. */
export function declared(
  name: string,
  description: string,
  expected: Expected,
  change: (record: ProductRecord) => object,
  extras: Parameters<typeof byProver>[4] = {},
): ProverAttack {
  const lie: Lie = {
    prepare(operation) {
      const { record } = operation
      if (record.kind !== 'product' || record.sequence !== 0) return
      operation.record = { ...record, ...change(record) } as ProductRecord
    },
  }
  return byProver(`record: ${name}`, description, expected, lie, extras)
}

/** Changes the layout of a record. */
export const layoutOf = (change: (layout: ProductRecord['layout']) => object) => (record: ProductRecord) => ({
  layout: { ...record.layout, ...change(record.layout) },
})
