import {
  type Control,
  decodeMessage,
  encodeMessage,
  type ProductRecord,
  type ProtocolMessage,
} from '../../codec/messages.ts'
import { challengeSeed, sessionId } from '../../commitment/challenge.ts'
import { loadSuite } from '../../commitment/suite.ts'
import { type Transcript, transcript } from '../../commitment/transcript.ts'
import { rowBytes } from '../../matrix.ts'
import { samplerNamed } from '../../sampling/registry.ts'
import type { Channel } from '../../transport.ts'
import {
  type ForgedOperation,
  type ForgedTensor,
  Forger,
  type Lie,
  rowsOf,
  type TensorName,
  tensorNames,
} from './forger.ts'
import { messageQueue } from './message-queue.ts'
import { joined, type Outgoing, partsOf, say } from './outgoing.ts'

/** Operations that the honest prover announced together, until it has opened them all. */
interface Batch {
  readonly control: Control<'commit'>
  readonly waitingFor: Set<number>
}

/** More rows and columns than any product has. */
const everything = 2 ** 32

/**
 * The end of a channel that a dishonest prover gives to an honest one.
 *
 * The honest prover is told of a policy that asks for every row and is challenged at once, so that it hands over its
 * tensors; the dishonest one commits to them anew, in a session of its own with the verifier, where it is free to lie and
 * to make everything else consistent with the lie. Both stay within what the protocol's messages can express, so that
 * fields which the lie does not touch pass as they are.
 */
export function forgedChannel(channel: Channel, lie: Lie): Channel {
  const toProver = messageQueue()
  const forger = new Forger((error) => channel.abort(error))
  const batches: Batch[] = []
  const tensors = new Map<number, ForgedTensor>()
  const outstanding = new Set<number>()
  let hello: Uint8Array = new Uint8Array(0)
  let sent: Transcript | undefined
  let close: Control<'close'> | undefined
  let tail: Promise<unknown> = Promise.resolve()

  /** Whatever is sent to the verifier leaves in the order of the calls. */
  function tell(message: () => ProtocolMessage): Promise<void> {
    const telling = tail.then(async () => {
      const honest = message()
      const instead: readonly Outgoing[] = lie.send ? await lie.send(honest, forger) : [honest]
      for (const outgoing of instead) {
        const bytes = joined(partsOf(outgoing))
        if (honest.type === 'hello') hello = bytes
        sent?.append([bytes])
        await channel.send([bytes])
      }
    })
    telling.catch(() => undefined)
    tail = telling.catch(() => undefined)
    return telling
  }

  async function takeFromProver(bytes: Uint8Array): Promise<void> {
    const message = decodeMessage(bytes)
    if (message.type === 'hello') return tell(() => message)
    if (message.type === 'open') {
      return tell(() => say('open', { ...message.control, session: forger.session.session }))
    }
    if (message.type === 'commit') {
      const products = message.control.records.filter(({ kind }) => kind === 'product').map(({ sequence }) => sequence)
      batches.push({ control: message.control, waitingFor: new Set(products) })
      if (products.length > 0) {
        const challenges = products.map((sequence) => ({ sequence, seed: new Uint8Array(32) }))
        toProver.push(joined(encodeMessage('challenge', { challenges })))
      }
      return advance()
    }
    if (message.type === 'opening') {
      take(message.control, message.segments)
      return advance()
    }
    if (message.type === 'close') {
      close = message.control
      return advance()
    }
    if (message.type === 'sample') return tell(() => sampled(message.control, message.segments))
    return tell(() => message)
  }

  /** The rows that the verifier expects, of a sample of every row. */
  function sampled(control: Control<'sample'>, segments: readonly Uint8Array[]): ProtocolMessage {
    const { record, tensors: shapes } = control
    if (record.kind !== 'product') return say('sample', control, segments)
    const { session, policy } = forger.session
    const rows = forger.rowsAsked(record, challengeSeed(policy.spotSeed!, session, record.sequence))
    const asked = tensorNames.flatMap((name) => rows[name] ?? [])
    const selected = asked.map((wanted, i) => rowsOf({ ...shapes[i]!, bytes: segments[i]! }, wanted))
    return say('sample', control, selected)
  }

  /** Learns whole tensors from an opening of every row. */
  function take({ sequence }: Control<'opening'>, segments: readonly Uint8Array[]): void {
    const batch = batches.find(({ waitingFor }) => waitingFor.has(sequence))!
    const record = batch.control.records.find((candidate) => candidate.sequence === sequence)!
    if (record.kind !== 'product') return
    for (const [i, [, number]] of tensorNumbers(record).entries()) {
      const shape = batch.control.tensors.find(({ tensor }) => tensor === number)
      if (shape === undefined) continue
      const { rows, cols, dtype } = shape
      const bytes = new Uint8Array(rows * rowBytes(shape))
      bytes.set(segments[i]!)
      tensors.set(number, forger.tensor({ rows, cols, dtype, bytes }, number))
    }
    batch.waitingFor.delete(sequence)
  }

  /** Does towards the verifier what can be done by now. */
  async function advance(): Promise<void> {
    while (batches[0]?.waitingFor.size === 0) {
      const { records } = batches[0].control
      const room = forger.session.policy.window - outstanding.size
      const products = records.filter(({ kind }) => kind === 'product').length
      if (products > room && lie.ignoresWindow !== true) return
      await commit(batches.shift()!.control)
    }
    if (close === undefined || batches.length > 0) return
    if (outstanding.size > 0 && lie.closesEarly !== true) return
    const said = close
    close = undefined
    await tell(() => say('close', { ...said, transcript: sent!.head }))
  }

  async function commit(control: Control<'commit'>): Promise<void> {
    for (const record of control.records) {
      const { sequence } = record
      const operation: ForgedOperation = { record, tensors: tensorsOf(record) }
      forger.operations.set(sequence, operation)
      lie.prepare?.(operation, forger)
      if (operation.record.kind === 'product') outstanding.add(sequence)
    }
    const records = control.records.map(({ sequence }) => forger.operations.get(sequence)!.record)
    const roots = control.tensors.map(({ tensor }) => {
      const { rows, cols, dtype, root } = tensors.get(tensor)!.committed
      return { tensor, rows, cols, dtype, root }
    })
    await tell(() => say('commit', { ...control, records, tensors: roots }))
  }

  function tensorsOf(record: ForgedOperation['record']): ForgedOperation['tensors'] {
    if (record.kind !== 'product') return {}
    return Object.fromEntries(tensorNumbers(record).map(([name, number]) => [name, tensors.get(number)!]))
  }

  async function takeFromVerifier(bytes: Uint8Array): Promise<void> {
    const message = decodeMessage(bytes)
    if (message.type === 'policy') {
      const { key: _unsigned, ...policy } = message.control
      const suite = loadSuite(policy.suite)
      const sampler = samplerNamed(policy.sampler.name, policy.sampler.parameters)
      sent = transcript(suite, 'prover')
      sent.append([hello])
      const session = sessionId(suite, [hello], [bytes])
      forger.open({ suite, session, policy: message.control, sampler, transcript: sent })
      const greedy = { name: 'rows', parameters: { atLeast: everything, columns: everything } }
      const window = lie.ignoresWindow === true ? everything : policy.window
      toProver.push(joined(encodeMessage('policy', { ...policy, window, sampler: greedy })))
    } else if (message.type === 'challenge') {
      for (const challenge of message.control.challenges) {
        const { sequence, seed } = challenge
        const { record } = forger.operations.get(sequence) ?? {}
        if (seed !== undefined && record?.kind === 'product') {
          forger.asked.set(sequence, forger.rowsAsked(record, seed))
          if (lie.challenged?.(challenge, forger) === false) continue
          await tell(() => forger.opening(sequence))
        }
        outstanding.delete(sequence)
      }
      await advance()
    } else if (message.type !== 'attest') toProver.push(bytes)
  }

  async function receive(): Promise<void> {
    for await (const bytes of channel) await takeFromVerifier(bytes)
  }

  return {
    peer: channel.peer,
    maxMessageBytes: channel.maxMessageBytes,
    send: (message) => takeFromProver(joined(message)),
    [Symbol.asyncIterator]() {
      receive().then(toProver.end, toProver.fail)
      return toProver[Symbol.asyncIterator]()
    },
    close: (options) => channel.close(options),
    abort: (error) => channel.abort(error),
  }
}

/** The tensors that are opened of a product, in order. */
function tensorNumbers({ a, b, c, addend }: ProductRecord): (readonly [TensorName, number])[] {
  const numbers = { a, c, b: b.kind === 'activation' ? b.tensor : undefined, addend }
  return tensorNames.flatMap((name) => (numbers[name] === undefined ? [] : [[name, numbers[name]] as const]))
}
