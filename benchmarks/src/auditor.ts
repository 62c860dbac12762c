import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Audit } from './policies.ts'
import type { SeededTensor } from './seeded.ts'
import type { Reply, Request } from './verifier-process.ts'

/** A verifier in a process of its own, so that its checks take no turn of the prover's event loop. */
export interface Auditor extends AsyncDisposable {
  /** Where to dial for a session of each mode, and for a peer that swallows what it is sent. */
  readonly addresses: Readonly<Record<Audit | 'sink', string>>
  /** Resolves when this many products, counted over all sessions, are checked. */
  checked(products: number): Promise<void>
}

const patienceMs = 300_000

/**
 * Starts a verifier that holds `weights`.
 *
 * @param execArgv - Node's flags for the process; those of this one unless given.
 * @throws {Error} If the process ends or does not answer.
 */
export async function startAuditor(
  weights: readonly SeededTensor[],
  acceptActivations: boolean,
  execArgv: readonly string[] = process.execArgv,
): Promise<Auditor> {
  const child = fork(new URL('./verifier-process.ts', import.meta.url), { execArgv: [...execArgv] })
  const serving = await ask(child, { kind: 'serve', weights, acceptActivations })
  if (serving.kind !== 'serving') throw new Error(`expected the verifier to serve, got its ${serving.kind}`)
  return {
    addresses: serving.addresses,
    async checked(products) {
      await ask(child, { kind: 'tell-when-checked', products })
    },
    async [Symbol.asyncDispose]() {
      if (!child.connected) return
      const exited = once(child, 'exit')
      child.disconnect()
      await exited
    },
  }
}

function ask(child: ChildProcess, request: Request): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const done = () => {
      clearTimeout(timer)
      child.off('message', onReply)
      child.off('exit', onExit)
    }
    const onReply = (reply: Reply) => {
      done()
      resolve(reply)
    }
    const onExit = (code: number | null) => {
      done()
      reject(new Error(`the verifier's process ended with exit code ${code} before it answered ${request.kind}`))
    }
    const timer = setTimeout(() => {
      done()
      reject(new Error(`the verifier did not answer ${request.kind} within ${patienceMs} ms`))
    }, patienceMs)
    child.on('message', onReply)
    child.on('exit', onExit)
    child.send(request)
  })
}
