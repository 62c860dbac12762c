import { AssayError, type Channel } from '@tensor-assay/core'
import { ws } from '@tensor-assay/transport-ws'

/**
 * The half of `chromium.ts` that runs in the page: one function for each thing that can be done to a channel. What
 * crosses the border is JSON, bytes as base64.
 */
export interface Outcome {
  readonly value?: unknown
  readonly error?: { readonly code?: string; readonly message: string; readonly tag?: number; readonly slip?: boolean }
}

const channels = new Map<number, Channel>()
const iterators = new Map<number, AsyncIterator<Uint8Array>>()
const controllers = new Map<number, AbortController>()
const tags = new WeakMap<Error, number>()

/** Not among the types of Node. */
const sharing = globalThis as unknown as {
  readonly WebAssembly: { readonly Memory: new (limits: object) => { readonly buffer: SharedArrayBuffer } }
}

const commands = {
  async dial(id: number, address: string, options: { background?: boolean }, signalId: number) {
    const { background = false, ...settings } = options
    const channel = await ws(settings).dial(address, { signal: signalOf(signalId), background })
    channels.set(id, channel)
    return { peer: channel.peer, maxMessageBytes: channel.maxMessageBytes }
  },
  send: (id: number, parts: string[]) => channels.get(id)!.send(parts.map(fromBase64)),
  /** Sends a part in memory that threads share, as WebAssembly has it. */
  sendShared(id: number, length: number) {
    const { buffer } = new sharing.WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
    return channels.get(id)!.send([new Uint8Array(buffer, 0, length).fill(7)])
  },
  iterate(id: number) {
    iterators.set(id, channels.get(id)![Symbol.asyncIterator]())
  },
  async next(id: number) {
    const { done, value } = await iterators.get(id)!.next()
    if (done) return null
    if (value.byteOffset !== 0 || value.byteLength !== value.buffer.byteLength) throw new Error('memory is not its own')
    return toBase64(value)
  },
  async leave(id: number) {
    await iterators.get(id)!.return?.()
  },
  close: (id: number, signalId: number) => channels.get(id)!.close({ signal: signalOf(signalId) }),
  abort(id: number, message: string, tag: number) {
    const error = new Error(message)
    tags.set(error, tag)
    channels.get(id)!.abort(error)
  },
  signal(id: number) {
    signalOf(id)
    controllers.get(id)!.abort()
  },
  /** Lets nothing else run in the page. */
  holdUp(ms: number) {
    for (const end = performance.now() + ms; performance.now() < end; );
  },
  listen: () => ws().listen('ws://127.0.0.1:0', () => {}),
}

export type Command = keyof typeof commands

/** Called from Node. Never rejects. */
async function run(command: Command, ...args: unknown[]): Promise<Outcome> {
  try {
    return { value: await (commands[command] as (...args: unknown[]) => unknown)(...args) }
  } catch (reason) {
    const error = reason as Error
    const tag = tags.get(error)
    return {
      error: {
        message: error.message,
        slip: error instanceof TypeError,
        ...(AssayError.isInstance(error) && { code: error.code }),
        ...(tag !== undefined && { tag }),
      },
    }
  }
}

Object.assign(globalThis, { run })

function signalOf(id: number): AbortSignal {
  const controller = controllers.get(id) ?? new AbortController()
  controllers.set(id, controller)
  return controller.signal
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}

function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 32_768) text += String.fromCharCode(...bytes.subarray(i, i + 32_768))
  return btoa(text)
}
