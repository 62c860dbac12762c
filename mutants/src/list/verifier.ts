import { inFile, type Mutant } from '../mutant.ts'

const src = 'packages/verifier/src'
const test = 'packages/verifier/test'
const sessions = [`${test}/session.test.ts`, `${test}/check.test.ts`, 'integration/test/session.test.ts']
const identities = [`${test}/session.test.ts`, 'integration/test/identity.test.ts']
const manifests = [`${test}/manifest-check.test.ts`, 'integration/test/manifest.test.ts']
const receipts = [`${test}/receipt.test.ts`, 'integration/test/receipt.test.ts']
const records = [`${test}/record-problem.test.ts`, `${test}/hostile-sizes.test.ts`]
const openings = [`${test}/lay-opening.test.ts`, `${test}/hostile-sizes.test.ts`, ...sessions]
const ledgers = [`${test}/ledger.test.ts`, ...sessions]
const checks = [`${test}/check.test.ts`, `${test}/profiles.test.ts`, ...sessions]

const audit = inFile(`${src}/audit.ts`, sessions, [
  [
    'a product of which nothing was seen counts as audited',
    'if (rows.rows > 0) this.ledger.audited(',
    'if (rows.rows >= 0) this.ledger.audited(',
    'a product that is trivial is one that was checked',
  ],
  [
    'a product that is drowned is no finding',
    'if (rows.drowned && this.manifest === undefined) {',
    'if (rows.drowned && rows.rows > 0) {',
    'nothing was computed, and all that tells of it is a count',
  ],
  [
    'proofs are not checked',
    'if (unbound !== undefined) {',
    'if (unbound !== undefined && unbound === undefined) {',
    'rows that were never committed to are as good as those that were',
  ],
  [
    'a broken proof is forgotten',
    "this.ledger.find('commitment-mismatch', message, { sequence, operation, ...(evidence && { evidence }) })",
    'void message',
    'an opening without a proof leaves no trace in the verdict',
  ],
  [
    'a malformed opening is forgotten',
    "this.ledger.find('opening-malformed', laid, { sequence, operation })",
    'void sequence',
    'an opening of too few bytes is as good as none, which is as good as a right one',
  ],
  [
    'findings of the rows are dropped',
    'for (const { reason, message, evidence } of rows.findings) {',
    'for (const { reason, message, evidence } of rows.findings.slice(0, 0)) {',
    'wrong values pass',
  ],
  [
    'what is declared at the end is not compared',
    'if (closing.operations !== arrived) {',
    'if (closing.operations < arrived) {',
    'operations lost on the way are not missed',
  ],
  [
    'the transcript at the end is not compared',
    'if (closing.transcript.some((byte, i) => byte !== transcript[i])) {',
    'if (closing.transcript.length !== transcript.length) {',
    'somebody in between changes messages unnoticed',
  ],
  [
    'inputs and outputs are not settled at the end',
    '    this.bindings.finish(ledger)\n',
    '',
    'an input that was never read is not missed',
  ],
  [
    'the manifest is not settled at the end',
    'this.manifest?.finish()',
    'void this.manifest',
    'what a session leaves out at its end is not missed',
  ],
  [
    'an empty product is checked',
    'if (opened.plan.rows.length === 0) {',
    'if (opened.plan.rows.length < 0) {',
    'zero samples pass',
  ],
  [
    'the prover sees the seed of the checks in spot mode',
    '{ seed: check, vectorSeed: check }',
    '{ seed: plan, vectorSeed: plan }',
    'the vectors come from a seed that the prover was handed: it can make errors that they miss',
  ],
  [
    'inputs and outputs are not compared',
    '    this.bindings.compare(record, opened, this.ledger)\n',
    '',
    'an invented input passes',
  ],
])

const session = inFile(`${src}/session.ts`, sessions, [
  [
    'the window is not enforced',
    'if (this.asked.size >= policy.window) {',
    'if (this.asked.size > 2 ** 30) {',
    'a flood of commitments without openings fills the memory',
  ],
  [
    'an opening may come at any time',
    'return Math.max(0, Math.min(policy.idleTimeoutMs, oldest.waitedMs + policy.openingTimeoutMs - this.waitedMs))',
    'return policy.idleTimeoutMs',
    'a prover computes at leisure what it was challenged for',
  ],
  [
    'waits are not added up',
    'this.waitedMs += ms',
    'this.waitedMs = ms',
    'a prover says something now and then, and never answers',
  ],
  [
    'a session goes on beyond doubt',
    '&& this.ledger.isBeyondDoubt) return true',
    '&& this.ledger.isBeyondDoubt && message.segments.length > 8) return true',
    'tensors of a million operations are held for a verdict that stands',
  ],
  [
    'one challenge is answered again and again',
    '    this.asked.delete(sequence)\n',
    '',
    'a prover tries openings until one fits',
  ],
  [
    'challenges without an answer are forgotten at the close',
    '    this.closed = true\n    this.missing()\n',
    '    this.closed = true\n',
    'a prover does not open what would show its lie',
  ],
  [
    'challenges without an answer are forgotten at the deadline',
    '  timedOut(): void {\n    this.missing()\n',
    '  timedOut(): void {\n',
    'a prover falls silent when the challenge hurts',
  ],
  [
    'silence is no finding',
    "this.ledger.find('deadline-exceeded', 'the prover fell silent before it closed the session')",
    'return',
    'a session that was never closed passes',
  ],
  [
    'a broken channel is no finding',
    "this.ledger.find('channel-lost', `${message}${open}`)",
    'void open',
    'a session that was cut off passes',
  ],
  [
    'a breach of the protocol is no finding',
    "this.ledger.find('protocol-violation', `${code}: ${message}`)",
    'void message',
    'a session that ended in nonsense passes',
  ],
  [
    'a defect is no finding',
    "    else this.ledger.find('internal', message)\n",
    '',
    'an exception is swallowed and the session passes',
  ],
  [
    'any session may be opened',
    'if (!equal(session, this.id)) {',
    'if (!equal(session, session)) {',
    'somebody in between changes the hello or the policy',
  ],
  [
    'the session need not be opened',
    'if (!this.isOpened) {',
    'if (false as boolean) {',
    'a prover skips its signature of the session',
  ],
  [
    'every operation has the same challenge',
    'const seed = challengeSeed(this.key, this.received.head, sequence)',
    'const seed = challengeSeed(this.key, this.id, 0)',
    'what one challenge shows of the next makes it predictable, before anything is committed to',
  ],
  [
    'the challenge does not depend on the commitment',
    'const seed = challengeSeed(this.key, this.received.head, sequence)',
    'const seed = challengeSeed(this.key, this.id, sequence)',
    'the prover checks at the end that challenges are fair, and these are not',
  ],
  [
    'the key comes from nothing',
    'private readonly key = crypto.getRandomValues(new Uint8Array(32))',
    'private readonly key = new Uint8Array(32)',
    'a prover knows every challenge beforehand',
  ],
  [
    'the key of the challenges is the one that the policy hands over',
    'private readonly spotSeed = crypto.getRandomValues(new Uint8Array(32))',
    'private readonly spotSeed = this.key',
    'in spot mode the prover knows the vectors as well as the rows',
  ],
  [
    'the vectors are known before the commitment',
    "const vectorSeed = deriveSeed(this.key, 'vectors', this.received.head)",
    "const vectorSeed = deriveSeed(this.key, 'vectors', this.id)",
    'a constant vector: whoever learns it makes errors that it misses',
  ],
  [
    'no operation is audited',
    '        record !== undefined &&\n        (this.audit.mustAudit',
    '        record !== undefined && false &&\n        (this.audit.mustAudit',
    'zero samples pass',
  ],
  [
    'operations that bind an input or an output are audited by chance',
    '(this.audit.mustAudit(record) || isAudited(',
    '(isAudited(',
    'the first and the last product escape at a low rate',
  ],
  [
    'a sample is taken in an interactive session',
    "message.type === 'sample' && mode === 'spot'",
    "message.type === 'sample'",
    'a prover answers with the mode that proves nothing',
  ],
  [
    'errors of the peer end nothing',
    "if (message.type === 'error')\n      throw",
    "if (message.type === 'error' && message.control.code === '')\n      throw",
    'a prover that gave up is not heard',
  ],
])

const trust = inFile(`${src}/session.ts`, identities, [
  [
    'the opening of a session need not be signed',
    "if (this.proverKey && !isSigned(this.proverKey, signature, statements.session(this.id, 'prover'))) {",
    'if (this.proverKey && signature?.length === 1) {',
    'anybody speaks in the name of a key',
  ],
  [
    'the close need not be signed',
    'if (this.proverKey && !isSigned(this.proverKey, control.signature, statement)) {',
    'if (this.proverKey && statement.length === 0) {',
    'somebody in between changes what a prover said',
  ],
  [
    'strangers are let in',
    'if (provers !== undefined && !(actual !== undefined && provers.includes(actual))) {',
    'if (provers !== undefined && actual === undefined) {',
    'any identity is as good as a known one',
  ],
  [
    'those without an identity are let in',
    'if (provers !== undefined && !(actual !== undefined && provers.includes(actual))) {',
    'if (provers !== undefined && actual !== undefined && !provers.includes(actual)) {',
    'leaving the identity out gets past the list',
  ],
  [
    'the verdict is not signed',
    'const signature = identity && sign(identity, statements.verdict(this.id, verdict))',
    "const signature = identity && sign(identity, statements.session(this.id, 'verifier'))",
    'a verdict is forged on its way',
  ],
])

const accounts = inFile(`${src}/accounts.ts`, sessions, [
  [
    'a tensor is committed to again',
    'if (this.tensors.has(tensor.tensor)) {',
    'if (tensor.tensor < 0) {',
    'a second root for what was challenged already',
  ],
  [
    'operations come in any order',
    'if (record.sequence !== ledger.coverage.operations) {',
    'if (record.sequence < 0) {',
    'operations are left out, repeated and exchanged',
  ],
  [
    'operations without number',
    'if (ledger.coverage.operations > policy.maxOperations) {',
    'if (ledger.coverage.operations < 0) {',
    'a session takes memory for as long as it likes',
  ],
  [
    'what is wrong with a record is forgotten',
    'ledger.find(problem.reason, problem.message, at)',
    'void at',
    'a product by an unknown weight is skipped in silence',
  ],
  [
    'a skipped operation is not found',
    "ledger.find('operation-skipped', `the prover left it out: ${record.reason}`, at)",
    'void at',
    'a prover skips what it does not want to show',
  ],
  [
    'an opaque operation is not found',
    'if (!isExpected) {',
    'if (isExpected) {',
    'everything is declared as what cannot be stated',
  ],
  [
    'activations are accepted whatever the policy says',
    'const acceptActivations = policy.acceptActivations || isExpected',
    'const acceptActivations = true || isExpected',
    'another weight is committed to instead of named',
  ],
])

const records_ = inFile(`${src}/record-problem.ts`, records, [
  [
    'a weight is taken by its place, not by its digest',
    'const weight = store.find(bytesToHex(digest))\n',
    'const weight = store.find(bytesToHex(digest)) ?? store.weights[0]\n',
    'wrong weight accepted by name',
  ],
  [
    'a weight of another size is taken',
    'weight.byteLength === elements * bytesPerElement[weight.dtype]',
    'weight.byteLength >= 0 * elements * bytesPerElement[weight.dtype]',
    'a part of a weight is used',
  ],
  [
    'a weight of another type is taken',
    'if (dtypes.includes(weight.dtype) && weight.byteLength',
    'if (weight.byteLength',
    'the bits of one type are read as those of another',
  ],
  [
    'a weight is turned',
    'matrices === 1 ? shape.at(-1) === matrix[1] :',
    'matrices === 1 ? shape.at(-1) !== undefined :',
    'the transposed weight gives another model',
  ],
  [
    'a weight is cut into several',
    '`${shape.slice(-2)}` === `${matrix}`',
    'matrices > 1',
    'products that are not added up pass for one',
  ],
  ['filters of any dimensions', ': isWithOnes(used, shape)', ': shape.length > 1', 'the kernel of another convolution'],
  ['sums of any length', 'k > maxTerms ||', 'k > 2 ** 48 ||', 'a record ends in an internal error'],
  [
    'a plan of any size',
    'if (drawn > maxDrawn) {',
    'if (drawn > 2 ** 40) {',
    'a few bytes make the verifier draw for minutes',
  ],
  [
    'A of any shape',
    'tensor.rows !== size.rows || tensor.cols !== size.cols ||',
    'tensor.cols !== size.cols ||',
    'rows that are not there are never opened',
  ],
  ['tensors of any type', ' || !dtypes.includes(tensor.dtype)) {', ') {', 'a coarser type hides errors'],
  [
    'any arithmetic',
    'if (!policy.profiles.includes(profile)) {',
    'if (policy.profiles.length < 0) {',
    'tolerance from the prover trusted: it declares the loosest profile',
  ],
  [
    'quantisation in any arithmetic',
    "if (isQuantized && profile !== 'int8') {",
    "if (isQuantized && profile === 'int8' && profile !== 'int8') {",
    'scales that nobody applies turn one product into another',
  ],
  [
    'vectors of any length',
    'if (length !== n && length !== 1 && length !== matrices * n) {',
    'if (length < 0) {',
    'a bias is read beyond its end, as NaN',
  ],
  [
    'vectors of a declared type',
    'if (held.dtype === dtype) return undefined',
    'if (held.dtype !== undefined) return undefined',
    'the prover chooses whether a bias is scaled',
  ],
  [
    'filters lie as they like',
    "if (layout.kind === 'convolution' && b.transposed === layout.channelsLast) {",
    "if (layout.kind === 'convolution' && b.transposed && layout.groups < 0) {",
    'the same bytes are other filters',
  ],
  [
    'tensors that were never committed to',
    'if (tensor === undefined) {',
    'if (tensor === undefined && size.rows < 0) {',
    'a missing field skips a check, or ends it by an exception',
  ],
  [
    'products of any size',
    'if (!sizes.every((elements) => elements <= maxElements)) {',
    'if (!sizes.every((elements) => elements >= 0)) {',
    'sizes beyond what float64 counts are cut off',
  ],
  [
    'more rows than can be sampled',
    'Math.max(geometry.rows, n) > maxRows || k > maxTerms || matrices > maxMatrices || patches > maxPatchElements',
    'n > maxRows || matrices > maxMatrices || patches > maxPatchElements',
    'a record of two hundred bytes costs gigabytes',
  ],
  [
    'more patches than can be laid out',
    'Math.max(geometry.rows, n) > maxRows || k > maxTerms || matrices > maxMatrices || patches > maxPatchElements',
    'Math.max(geometry.rows, n) > maxRows || k > maxTerms || matrices > maxMatrices',
    'a record of two hundred bytes costs hours',
  ],
])

const patience = inFile(
  `${src}/patience.ts`,
  [`${test}/patience.test.ts`],
  [
    [
      'time in which nobody was heard counts',
      'Math.min(slice, performance.now() - sliceBegan)',
      '(performance.now() - sliceBegan)',
      'an overloaded verifier fails honest provers',
    ],
    [
      'what came at the last moment is late',
      'else timer = setTimeout(() => resolve({ isLate: true }), 0)',
      'else resolve({ isLate: true })',
      'an honest prover fails for the time that reading takes',
    ],
    ['nobody is ever late', 'countedMs += slice', 'countedMs += 0', 'a prover is waited for without end'],
  ],
)

const opening = inFile(`${src}/lay-opening.ts`, openings, [
  [
    'a patch of any size',
    'plan.rows.length > 0 && k > most) {',
    'plan.rows.length > 0 && k > 2 ** 48) {',
    'a few bytes make the verifier ask for half a gigabyte',
  ],
  [
    'a tensor need not be opened',
    'if (part === undefined || proof === undefined) return true',
    'if (part === undefined || proof === undefined) return false',
    'a missing field skips a check',
  ],
  [
    'a tensor without a root is bound',
    'if (tensor?.root === undefined) return true',
    'if (tensor?.root === undefined) return false',
    'a missing field skips a check',
  ],
  [
    'proofs are not looked at',
    'return !verifyOpening(suite, { ...tensor, root, session, ...opening })',
    'return verifyOpening(suite, { ...tensor, root, session, ...opening }) === undefined',
    'proofs not checked',
  ],
  [
    'openings of any length',
    'if (bytes.length !== expected) {',
    'if (bytes.length > expected) {',
    'rows that are missing are read as zeros, or not at all',
  ],
  [
    'segments without number',
    'if (segments.length !== opened.length) return',
    'if (segments.length < opened.length) return',
    'an opening carries what nobody looks at',
  ],
  [
    'leaves are laid out before it is known that they are there',
    'if (root !== undefined && leastBytes(rows[name]!, declared) > bytes.length) {',
    'if (root !== undefined && rows[name]!.length < 0) {',
    'a list of a thousand million rows ends the process',
  ],
])

const bindings = inFile(
  `${src}/bindings.ts`,
  [`${test}/bindings.test.ts`, ...sessions],
  [
    [
      'another input passes',
      'if (problem) {\n        ledger.find(',
      'if (problem && step < 0) {\n        ledger.find(',
      'an invented A passes',
    ],
    [
      'an input that nobody read passes',
      "else ledger.find('input-unbound', `no product was checked that reads the input of step ${step}`)",
      'else void step',
      'a prover leaves the first product out',
    ],
    [
      'any product of a step may give its output',
      'if (seen === undefined || seen.sequence !== this.last.get(step)) {',
      'if (seen === undefined) {',
      'the right output is followed by another',
    ],
    [
      'another output passes',
      'else if (seen.same) ledger.coverage.outputsBound++',
      'else if (seen.same !== undefined) ledger.coverage.outputsBound++',
      'what is delivered is not what was computed',
    ],
    [
      'inputs are compared in their first byte',
      'for (let j = 0; j < stride; j++) {\n',
      'for (let j = 0; j < 1; j++) {\n',
      'an input that begins alike passes',
    ],
    [
      'inputs of another type are compared byte by byte',
      'expected.rows !== rows || expected.cols !== opened.cols || expected.dtype !== opened.dtype',
      'expected.rows !== rows || expected.cols !== opened.cols',
      'the same bytes are other numbers',
    ],
  ],
)

const manifest = inFile(`${src}/manifest-check.ts`, manifests, [
  [
    'a broken link is not found',
    'if (source !== undefined && tensorOf(source, link.tensor) === tensorOf(record, name)) {',
    'if (source !== undefined) {',
    'an invented A in the middle of a model passes',
  ],
  [
    'a link to nothing holds',
    'if (source !== undefined && tensorOf(source, link.tensor) === tensorOf(record, name)) {',
    'if (source === undefined || tensorOf(source, link.tensor) === tensorOf(record, name)) {',
    'a prover reorders operations so that links have no source',
  ],
  [
    'operations beyond the manifest pass',
    "this.ledger.find('operation-unexpected', `the manifest has no more operations in step ${step}`, at)",
    'void at',
    'extra products stand for the real ones',
  ],
  [
    'an operation that differs passes',
    "this.ledger.find('operation-mismatch', `operation ${progress.next} of step ${step}: ${difference}`, at)",
    'void difference',
    'a swapped layer passes',
  ],
  [
    'a skipped operation counts as the one that is expected',
    'return !isSkipped',
    'return true',
    'what was skipped may be anything',
  ],
])

const check = inFile(`${src}/check.ts`, checks, [
  [
    'a row that nobody had to compute is worth something',
    "heard.filter(({ testimony }) => testimony === 'telling').length",
    'heard.length',
    'nothing was computed, and it counts as evidence',
  ],
  [
    'a guarded row is worth something',
    'const heard = results.filter(({ guard }) => guard === undefined)',
    'const heard = results',
    'a row of which nothing can be said counts as evidence',
  ],
  [
    'a product of padding is like another',
    'return opened.plan.rows.every((row) => geometry.aRows(row).length === 0)',
    'return geometry.rows === 0',
    'nothing was computed, and all that tells of it is a count',
  ],
  [
    'a zero A is a lie',
    '(hidden >= leastHidden || liesInPadding(options))',
    'heard.length > 0',
    'an honest run is in doubt because its input is zero',
  ],
  [
    'a unit at rest is a lie',
    'const leastHidden = 16',
    'const leastHidden = 1',
    'an honest run of one column is in doubt by chance',
  ],
  [
    'a few entries at rest are a lie',
    "return result.testimony === 'drowned' ? checkRow(row, { power: statedPower }) : result",
    'return result',
    'an honest run is in doubt because few of its entries were looked at',
  ],
  [
    'only the first opened row is checked',
    'return rows.map((row, i) => {\n',
    'return rows.slice(0, 1).map((row, i) => {\n',
    'all the other rows may be wrong',
  ],
  ['no entry is drawn', 'Math.min(n, count), n)', '0, n)', 'small dense errors hide in the noise of the vectors'],
  [
    'a guarded row is no finding',
    "findings.push({ reason: 'tolerance-guard', message, evidence: { row } })",
    'void message',
    'rows of which nothing can be said pass',
  ],
  [
    'a failed row is no finding',
    'if (failure) findings.push(findingOf(failure, row, result))',
    'if (failure && row < 0) findings.push(findingOf(failure, row, result))',
    'wrong values pass',
  ],
  [
    'errors are not judged together',
    'if (together) {',
    'if (together && rows.length < 0) {',
    'a bias below the tolerance of each entry passes',
  ],
  [
    'the zero point of A is left out',
    'const a = zero === 0 ? values : values.map((value) => value - zero)',
    'const a = values',
    'quantised products are checked against others',
  ],
  [
    'not a number is a tolerance like another',
    "if (reason === 'non-finite') return { reason: 'value-not-finite', message: values, evidence }",
    'if (reason === undefined) return { reason, message: values, evidence }',
    'the typed reason is wrong',
  ],
])

const ledger = inFile(`${src}/ledger.ts`, ledgers, [
  [
    'nothing sampled passes',
    "if (rows === 0) this.find('nothing-sampled'",
    "if (rows < 0) this.find('nothing-sampled'",
    'zero samples pass',
  ],
  [
    'too few rows pass',
    'else if (rows < this.policy.minRows) {',
    'else if (rows > this.policy.minRows) {',
    'one row is enough',
  ],
  [
    'the mildest findings are kept',
    'const mildest = Math.min(...this.findings.map(severity))',
    'const mildest = Math.max(...this.findings.map(severity))',
    'a flood of harmless findings hides the one that counts',
  ],
  [
    'reasons beyond the list are forgotten',
    '    this.reasons.add(reason)\n    this.findings.push',
    '    if (this.findings.length < maxFindings) this.reasons.add(reason)\n    this.findings.push',
    'the thirty-third finding, a failure, does not fail',
  ],
  [
    'an audit at a rate claims to have looked at everything',
    'oneRow: audited ? this.leastOneRow * auditRate : 0,',
    'oneRow: audited ? this.leastOneRow : 0,',
    'the verdict claims more than was looked at',
  ],
  [
    'what was not audited claims to be seen',
    'inOneOperation: audited ? this.leastOne[i]! * auditRate : 0,',
    'inOneOperation: this.leastOne[i]! * auditRate,',
    'an empty audit claims to see everything',
  ],
  [
    'the easiest product stands for all',
    'this.leastOneRow = Math.min(this.leastOneRow, oneRow)',
    'this.leastOneRow = oneRow',
    'a prover that adds an easy product gets a better claim',
  ],
  [
    'a receipt claims bits without bound',
    'return Math.min(bindingBits, Math.log2(this.receiptIterations) + attempts)',
    'return Math.log2(this.receiptIterations) + attempts',
    'more security than the hash has',
  ],
])

const receipt = inFile(`${src}/receipt.ts`, receipts, [
  [
    'any terms',
    'if (expected === actual) return',
    'if (expected !== undefined) return',
    'a receipt over other weights, or with fewer samples',
  ],
  ['terms of any length', "'none' : excerpt(actual)", "'none' : actual", 'a file writes megabytes into the verdict'],
  [
    'no iterations count as such',
    'receiptIterations = Math.max(1, iterations)',
    'receiptIterations = iterations',
    'the verdict cannot be sent',
  ],
  ['any work', 'if (iterations < policy.iterations) {', 'if (iterations < 0) {', 'grinding for free'],
  [
    'work without end',
    'if (iterations > maxIterations) {',
    'if (iterations > 2 ** 40) {',
    'a file keeps its reader busy for hours',
  ],
  [
    'commitments after the challenge',
    "else if (message.type === 'commit' && this.challenge === undefined) {",
    "else if (message.type === 'commit') {",
    'what is committed to late knows its challenges',
  ],
  [
    'challenges from the hello alone',
    'this.challenge ??= { key: await receiptKey(head, this.audit.ledger.receiptIterations), head }',
    'this.challenge ??= { key: await receiptKey(session, this.audit.ledger.receiptIterations), head }',
    'challenges are known before anything is committed to',
  ],
  [
    'openings may be left out',
    "ledger.find('opening-missing', 'the receipt does not open it', { sequence, operation })",
    'void operation',
    'only what is right is opened',
  ],
  [
    'a receipt need not be closed',
    "if (!this.isClosed) throw new AssayError('receipt-malformed', 'the receipt ends before it is closed')",
    'void this.isClosed',
    'a receipt is cut where it begins to hurt',
  ],
  [
    'a receipt opened for another hello',
    'if (session.some((byte, i) => byte !== id[i])) {',
    'if (session.length !== id.length) {',
    'the terms are exchanged afterwards',
  ],
  [
    'signed by anybody',
    "if (key && !isSigned(key, signature, statements.session(id, 'prover'))) {",
    'if (key && signature?.length === 1) {',
    'signature not checked',
  ],
  [
    'the end signed by anybody',
    'if (key && !isSigned(key, control.signature, statement)) {',
    'if (key && statement.length === 0) {',
    'signature not checked',
  ],
  [
    'by anybody at all',
    'if (provers && !(actual !== undefined && provers.includes(actual))) {',
    'if (provers && actual === undefined) {',
    'another key signs for the one that is expected',
  ],
  [
    'a defect of the reader is forgotten',
    "ledger.find('internal', message)\n",
    'void message\n',
    'exception swallowed',
  ],
  [
    'one opening stands for two operations',
    '    this.waiting.delete(sequence)\n',
    '',
    'an operation that is opened twice is missing once',
  ],
])

const relations = [
  ...inFile(
    `${src}/relations.ts`,
    [`${test}/relations.test.ts`, 'integration/test/relations.test.ts'],
    [
      [
        'sources of any tensor',
        'proofs.some(({ tensor }, i) => tensor !== needed[i]!.tensor)',
        'proofs.some(({ tensor }) => tensor < 0)',
        'one opening has many forms',
      ],
      [
        'sources of any size',
        'declared.rows !== size.rows || declared.cols !== size.cols',
        'declared.rows < size.rows || declared.cols < size.cols',
        'rows are taken from a tensor of another shape',
      ],
      [
        'bytes after the sources',
        'return offset === bytes.length ? laid',
        'return offset <= bytes.length ? laid',
        'one opening has many forms',
      ],
      [
        'sources that are bound to nothing',
        'declared?.root !== undefined &&\n      isBound(',
        'declared?.root !== undefined &&\n      isBound !== undefined || isBound(',
        'what a tensor follows from is made up for it',
      ],
      [
        'sources that are not shown',
        'if (plan.needed.length > 0 && proofs === undefined) {\n    return failed(',
        'if (plan.needed.length > 0 && proofs === undefined) {\n    return { relations: 0, elements: 0, findings: [] }\n    failed(',
        'a prover that shows nothing passes',
      ],
      [
        'relations that would be too much work',
        'if (plan.passedOver.length > 0) {',
        'if (plan.passedOver.length > 3) {',
        'sizes that are too large for a check pass without it',
      ],
      [
        'elements on one side only',
        'if (!(Math.abs(claimed - value) <= bound))',
        'if (!(claimed - value <= bound))',
        'what is too small passes',
      ],
      [
        'elements that are no number',
        'if (!(Math.abs(claimed - value) <= bound))',
        'if (Math.abs(claimed - value) > bound)',
        'comparison with NaN',
      ],
      [
        'weights of any size',
        'if (values.length !== size)',
        'if (values.length < size)',
        'a relation reads a part of another weight',
      ],
      [
        'a relation that cannot be planned',
        "if (error instanceof RangeError) return failed('relation-broken', error.message)",
        'if (error instanceof RangeError) return { relations: 0, elements: 0, findings: [] }',
        'sizes that contradict the manifest pass',
      ],
    ],
  ),
  ...inFile(
    `${src}/audit.ts`,
    ['integration/test/relations.test.ts', ...sessions],
    [
      [
        'findings of relations are dropped',
        'for (const { reason, message, evidence } of found.findings) {',
        'for (const { reason, message, evidence } of found.findings.slice(0, 0)) {',
        'what happens between products is not checked',
      ],
    ],
  ),
  ...inFile(
    `${src}/accounts.ts`,
    ['integration/test/relations.test.ts'],
    [
      [
        'derived tensors count as foreign',
        ' || tensor.derived) continue',
        ') continue',
        'the count of what came from outside says nothing',
      ],
    ],
  ),
]

export const verifierMutants: readonly Mutant[] = [
  ...patience,
  ...audit,
  ...session,
  ...trust,
  ...accounts,
  ...records_,
  ...opening,
  ...bindings,
  ...manifest,
  ...check,
  ...ledger,
  ...receipt,
  ...relations,
]
