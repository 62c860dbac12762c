import { createProver, emptyVerdict, type Interception, type Prover } from '@tensor-assay/core'
import { identityFile } from '@tensor-assay/core/node'
import { backendOf } from '../onnx.ts'
import { beforeExit } from './before-exit.ts'
import { librariesOf } from './libraries-of.ts'
import { report, say } from './report.ts'
import { isRequired, settingsOf } from './settings.ts'
import { transportOf } from './transport-of.ts'

/**
 * Opens a session, has all of the program audited that is loaded next, and closes the session when the program is over.
 * Never throws: without a session the program runs as it would, or where the environment asks for it, not at all.
 */
export async function registerAudit(environment: NodeJS.ProcessEnv): Promise<void> {
  let required = true
  try {
    required = isRequired(environment)
    const { prover, watching } = await openSession(environment)
    reportAtEnd(prover, watching, environment.ASSAY_VERDICT)
  } catch (error) {
    say(`${required ? 'not started' : 'runs unaudited'}: ${(error as Error).message}`)
    if (required) process.exit(1)
  }
}

async function openSession(environment: NodeJS.ProcessEnv): Promise<{ prover: Prover; watching: Interception }> {
  const { verifier, identity, verifiers } = settingsOf(environment)
  const libraries = librariesOf(process.argv[1])
  const transport = await transportOf(verifier)
  const signer = identity === undefined ? undefined : await identityFile(identity)
  const backend = backendOf(libraries, 'all')
  try {
    const channel = await transport.dial(verifier, { background: true })
    const prover = await createProver({
      backend,
      channel,
      ...(signer && { identity: signer }),
      ...(verifiers && { verifiers }),
    })
    return { prover, watching: prover.watch() }
  } catch (error) {
    backend.restore()
    throw error
  }
}

function reportAtEnd(prover: Prover, watching: Interception, file: string | undefined): void {
  let reported = false
  beforeExit(async () => {
    watching.restore()
    const verdict = await prover.close()
    reported = true
    report(verdict, file)
  })
  process.on('exit', () => {
    const message = 'the program ended before the session could be closed'
    if (!reported) report(emptyVerdict([{ reason: 'aborted', message }]), file)
  })
}
