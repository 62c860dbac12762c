import { manifestDigest, type Verdict } from '@tensor-assay/core'
import { createVerifier, interactive, printable, spot } from '@tensor-assay/verifier'
import type { Given } from '../arguments/options.ts'
import { fingerprints, fraction, oneOf } from '../arguments/values.ts'
import { attend } from '../attend.ts'
import { command } from '../command.ts'
import { Complaint, complaintOf } from '../complaint.ts'
import { exitCodes, troubleCode } from '../exit-codes.ts'
import { loadIdentity, loadManifestOf, loadPem, loadWeights } from '../inputs.ts'
import { policyOf, policyOptions } from '../policy-options.ts'
import { liveProgress, silence } from '../progress.ts'
import { stopSignal } from '../stop-signal.ts'
import { note, say } from '../terminal.ts'
import { isExposed, transportOf } from '../transports.ts'
import { verdictFolder } from '../verdict-folder.ts'
import { shownVerdict, verdictOptions } from '../verdict-options.ts'

const options = {
  weights: { value: 'FILE', many: 'list', help: 'the public weights: .npy, .safetensors, .onnx, model.json' },
  listen: { value: 'ADDRESS', help: 'tcp://host:port, tls://host:port, unix:/path, ws://host:port, wss://host:port' },
  mode: { value: 'MODE', help: 'interactive holds against provers that lie, spot finds accidents; interactive' },
  ...policyOptions,
  'operation-rate': { value: 'R', help: 'fraction of the products that are audited, in spot mode of the steps; 1' },
  manifest: { value: 'FILE', help: 'the operations that each step must execute' },
  key: { value: 'FILE', help: 'key file that signs the verdicts; assay identity makes one' },
  prover: { value: 'ed25519:…', many: 'repeated', help: 'fingerprint of a prover to let in; all unless given' },
  'tls-cert': { value: 'FILE', help: 'certificate for tls:// and wss://, PEM' },
  'tls-key': { value: 'FILE', help: 'its private key, PEM' },
  once: { help: 'take in one prover, and give its verdict as the exit code' },
  out: { value: 'DIR', help: 'folder that gets each verdict as a file of JSON' },
  ...verdictOptions,
} as const

export const serve = command({
  summary: 'listens for provers and prints a verdict on each session',
  usage: '--weights FILE… --listen ADDRESS [options]',
  options,
  details:
    'Verdicts go to standard output, everything else to standard error. Ctrl-C ends the sessions.\n' +
    'Exit code: 0 once stopped, 3 if it could not listen or keep a verdict.\n' +
    'With --once: 0 pass, 1 fail, 2 incomplete or inconclusive.',
  async run(given) {
    const { address, policy, provers } = await terms(given)
    const progress = process.stderr.isTTY ? liveProgress(process.stderr) : silence()
    const tls = await tlsOf(given)
    const transport = await transportOf(address, {
      ...(tls && { tls }),
      onError: (error, peer) => progress.above(() => note(`no session with ${peer}: ${complaintOf(error)}`)),
    })
    const [weights, key, manifestFile, out] = [
      given.all('weights'),
      given.one('key'),
      given.one('manifest'),
      given.one('out'),
    ]
    const store = await loadWeights(weights)
    const manifest = manifestFile === undefined ? undefined : await loadManifestOf(manifestFile, store)
    const identity = key === undefined ? undefined : await loadIdentity(key)
    const keep = out === undefined ? undefined : await verdictFolder(out)
    const verifier = createVerifier({
      weights: store,
      policy,
      onEvent: progress.onEvent,
      ...(manifest && { manifest }),
      ...(identity && { identity }),
      ...(provers && { provers }),
    })

    const once = given.has('once')
    let code = once ? exitCodes.incomplete : 0
    async function onVerdict(verdict: Verdict, peer: string): Promise<void> {
      if (once) code = exitCodes[verdict.status]
      const head = given.has('json') ? '' : `${peer}\n`
      const foot = given.has('json') ? '' : '\n'
      progress.above(() => say(`${head}${shownVerdict(verdict, given)}${foot}`))
      await keep?.(verdict).catch((error: unknown) => {
        progress.above(() => note(`assay serve: ${complaintOf(error)}`))
        code = troubleCode
      })
    }
    function onListening(bound: string): void {
      const { atLeast, rate } = policy.sampler.parameters
      note(`listening on ${bound}`)
      note(
        `${policy.mode} audits against ${store.weights.length} weights; rows ${atLeast}, rate ${rate}, ${policy.suite}`,
      )
      if (store.skipped.length > 0) note(`${store.skipped.length} tensors cannot be held; assay weights says why`)
      for (const { profile, engine } of policy.calibration) note(`limits of ${profile} for ${printable(engine)}`)
      if (manifest) note(`manifest ${manifestDigest(manifest)}`)
      if (identity) note(`identity ${identity.fingerprint}`)
      if (isExposed(bound))
        note('anybody on the way can read and change what is said here; tls:// and wss:// prevent it')
    }
    await attend({ transport, address, verifier, once, signal: stopSignal(), onListening, onVerdict })
    progress.end()
    return code
  },
})

/** What must be right before any weight is read. */
async function terms(given: Given<keyof typeof options>) {
  const [stray] = given.positionals
  if (stray !== undefined) throw new Complaint(`expected options only, got '${stray}'`)
  if (!given.has('weights')) throw new Complaint('expected --weights FILE: provers are held against public weights')
  const address = given.one('listen')
  if (address === undefined) throw new Complaint('expected --listen ADDRESS, such as tcp://127.0.0.1:11234')
  const mode = oneOf('mode', given.one('mode'), ['interactive', 'spot'])
  const operationRate = fraction('operation-rate', given.one('operation-rate'))
  const make = mode === 'spot' ? spot : interactive
  const provers = fingerprints('prover', given.all('prover'))
  const policy = await policyOf(given, (settings) => make({ ...settings, ...(operationRate && { operationRate }) }))
  return { address, policy, provers }
}

async function tlsOf(given: Given<keyof typeof options>) {
  const [cert, key] = [given.one('tls-cert'), given.one('tls-key')]
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined || key === undefined)
    throw new Complaint('--tls-cert and --tls-key belong together, got one of them')
  return { cert: await loadPem(cert, 'certificate'), key: await loadPem(key, 'private key') }
}
