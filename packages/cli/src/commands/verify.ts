import { receipt, verifyReceipt } from '@tensor-assay/verifier'
import { bytes32, fingerprints, wholeNumber } from '../arguments/values.ts'
import { command } from '../command.ts'
import { Complaint } from '../complaint.ts'
import { exitCodes } from '../exit-codes.ts'
import { loadManifestOf, loadReceipt, loadWeights } from '../inputs.ts'
import { policyOf, policyOptions } from '../policy-options.ts'
import { note, say } from '../terminal.ts'
import { shownVerdict, verdictOptions } from '../verdict-options.ts'

export const verify = command({
  summary: 'checks a receipt offline',
  usage: 'RECEIPT --weights FILE… [options]',
  options: {
    weights: { value: 'FILE', many: 'list', help: 'the public weights that the receipt was made for' },
    manifest: { value: 'FILE', help: 'the operations that each step must execute' },
    prover: { value: 'ed25519:…', many: 'repeated', help: 'fingerprint of a prover who may have signed it' },
    beacon: { value: 'HEX', help: '32 bytes that it must have been made on' },
    iterations: { value: 'N', help: 'work for each attempt at better challenges, at least; 1048576' },
    ...policyOptions,
    ...verdictOptions,
  },
  details:
    'The terms must be those that the receipt was made on; --rows is 64 unless given.\n' +
    'Exit code: 0 pass, 1 fail, 2 incomplete or inconclusive, 3 if it could not be checked.',
  async run(given) {
    const [file, ...more] = given.positionals
    if (file === undefined || more.length > 0) {
      throw new Complaint(`expected one RECEIPT before the options, got ${given.positionals.length}`)
    }
    if (!given.has('weights'))
      throw new Complaint('expected --weights FILE: a receipt is checked against public weights')
    const iterations = wholeNumber('iterations', given.one('iterations'), 1)
    const policy = await policyOf(given, (settings) => receipt({ ...settings, ...(iterations && { iterations }) }))
    const provers = fingerprints('prover', given.all('prover'))
    const beacon = bytes32('beacon', given.one('beacon'))
    const bytes = await loadReceipt(file)
    const store = await loadWeights(given.all('weights'))
    const path = given.one('manifest')
    const manifest = path === undefined ? undefined : await loadManifestOf(path, store)
    const verdict = await verifyReceipt(bytes, {
      weights: store,
      policy,
      ...(manifest && { manifest }),
      ...(provers && { provers }),
      ...(beacon && { beacon }),
    })
    say(shownVerdict(verdict, given))
    if (verdict.findings.some(({ reason }) => reason === 'policy-mismatch')) {
      note(
        'The receipt was made on other terms. If they are good enough for you, give them: --rows, --rate, --iterations, …',
      )
    }
    return exitCodes[verdict.status]
  },
})
