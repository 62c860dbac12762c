import { AssayError } from '../errors.ts'
import type { Commitment } from './committer.ts'
import type { SuiteId } from './suite.ts'
import type { CommitInput } from './tensor.ts'

/** A thread that commits to matrices. One serves every prover of a process. */
export interface HashingThread {
  /** Whether it has started; until then, and when it cannot be started, it takes no work. */
  readonly isReady: boolean
  /** Memory is handed over and back, not copied. */
  commit(suite: SuiteId, input: CommitInput): Promise<Commitment>
}

/** What the thread is asked. */
export interface CommitRequest {
  readonly id: number
  readonly suite: SuiteId
  readonly input: CommitInput
}

/** What it says: once that it has started, then an answer to each request. */
export type CommitReply =
  | 'ready'
  | { readonly id: number; readonly commitment: Commitment }
  | { readonly id: number; readonly error: unknown }

interface Port {
  post(request: CommitRequest, transfer: ArrayBuffer[]): void
  /** Decides whether the thread keeps the process alive. */
  hold(alive: boolean): void
}

interface Waiting {
  resolve(commitment: Commitment): void
  reject(error: unknown): void
}

let shared: HashingThread | undefined

/** The thread of this process, which is started by the first call. */
export function startHashingThread(): HashingThread {
  shared ??= hashingThread(new URL('./worker.js', import.meta.url))
  return shared
}

/** @param script - The build of `worker.ts`. Where it cannot be run, the thread never gets ready. */
export function hashingThread(script: URL): HashingThread {
  const waiting = new Map<number, Waiting>()
  let requests = 0
  let isReady = false
  const port = openPort(script, onReply, onError)

  function onReply(reply: CommitReply): void {
    if (reply === 'ready') {
      isReady = true
      return
    }
    const asked = waiting.get(reply.id)
    waiting.delete(reply.id)
    if (waiting.size === 0) port?.hold(false)
    if ('error' in reply) asked?.reject(reply.error)
    else asked?.resolve(reply.commitment)
  }

  function onError(cause: unknown): void {
    isReady = false
    const error = new AssayError('internal', 'the hashing thread ended', { cause })
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }

  return {
    get isReady() {
      return isReady
    },
    commit(suite, input) {
      if (!isReady || port === undefined) throw new TypeError('the hashing thread is not ready')
      const id = requests++
      return new Promise<Commitment>((resolve, reject) => {
        waiting.set(id, { resolve, reject })
        port.hold(true)
        port.post({ id, suite, input }, buffersOf(input.matrix.bytes))
      })
    },
  }
}

/** The buffers that travel with a message instead of being copied. */
export function buffersOf(...views: readonly Uint8Array[]): ArrayBuffer[] {
  return [...new Set(views.map((view) => view.buffer as ArrayBuffer))]
}

/** A worker of browsers, as far as it is needed. */
interface WebWorker {
  postMessage(request: CommitRequest, transfer: ArrayBuffer[]): void
  addEventListener(type: 'message' | 'error', listener: (event: { readonly data: CommitReply }) => void): void
}

function openPort(
  script: URL,
  onReply: (reply: CommitReply) => void,
  onError: (error: unknown) => void,
): Port | undefined {
  const threads = globalThis.process?.getBuiltinModule?.('node:worker_threads')
  const { Worker } = globalThis as { Worker?: new (script: URL, options: { type: 'module' }) => WebWorker }
  try {
    if (threads) {
      const worker = new threads.Worker(script)
      worker.on('message', onReply)
      worker.on('error', onError)
      // Last, because listening takes it back.
      worker.unref()
      return {
        post: (request, transfer) => worker.postMessage(request, transfer),
        hold: (alive) => (alive ? worker.ref() : worker.unref()),
      }
    }
    if (Worker === undefined) return undefined
    const worker = new Worker(script, { type: 'module' })
    worker.addEventListener('message', ({ data }) => onReply(data))
    worker.addEventListener('error', onError)
    return { post: (request, transfer) => worker.postMessage(request, transfer), hold: () => undefined }
  } catch {
    // Content security policies and the like: there is another way.
    return undefined
  }
}
