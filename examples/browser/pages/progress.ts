import { type Channel, decodeMessage, type MessageType } from '@tensor-assay/core'
import { element } from './dom.ts'

const steps = [
  { name: 'connected', title: 'Connected', waiting: 'to the verifier' },
  { name: 'ran', title: 'Model ran', waiting: 'under audit' },
  { name: 'committed', title: 'Committed', waiting: 'to the tensors of each product' },
  { name: 'challenged', title: 'Challenged', waiting: 'on rows that nobody could foresee' },
  { name: 'opened', title: 'Opened', waiting: 'the rows that were drawn' },
  { name: 'judged', title: 'Judged', waiting: 'by the verifier' },
] as const

export type Step = (typeof steps)[number]['name']

/** The steps of an audit on the page, as they are taken. */
export function progressIn(list: HTMLElement) {
  const items = new Map(
    steps.map(({ name, title, waiting }) => {
      const note = element('span', {}, waiting)
      return [name as Step, { item: element('li', {}, element('b', {}, title), note), note }] as const
    }),
  )
  list.replaceChildren(...[...items.values()].map(({ item }) => item))
  return {
    reach(step: Step, text?: string): void {
      const reached = items.get(step)
      reached?.item.classList.add('done')
      if (reached && text !== undefined) reached.note.textContent = text
    },
  }
}

/** A channel that tells of what passes through it, and changes nothing. */
export function observed(channel: Channel, onMessage: (type: MessageType, bytes: number) => void): Channel {
  const tell = (bytes: Uint8Array) => onMessage(decodeMessage(bytes).type, bytes.length)
  return {
    peer: channel.peer,
    maxMessageBytes: channel.maxMessageBytes,
    async send(message) {
      const bytes = new Uint8Array(message.reduce((sum, part) => sum + part.length, 0))
      let at = 0
      for (const part of message) {
        bytes.set(part, at)
        at += part.length
      }
      await channel.send(message)
      tell(bytes)
    },
    close: (options) => channel.close(options),
    abort: (error) => channel.abort(error),
    async *[Symbol.asyncIterator]() {
      for await (const message of channel) {
        try {
          tell(message)
        } catch {
          // Malformed: the prover finds that out itself, and says so better.
        }
        yield message
      }
    },
  }
}
