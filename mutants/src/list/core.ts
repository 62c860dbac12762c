import { inFile, type Mutant } from '../mutant.ts'

const src = 'packages/core/src'
const test = 'packages/core/test'

const tensor = inFile(
  `${src}/commitment/tensor.ts`,
  [
    `${test}/commitment/tensor.test.ts`,
    `${test}/commitment/merkle-attacks.test.ts`,
    'integration/test/session.test.ts',
  ],
  [
    [
      'any root',
      'return treeRoot !== undefined && equalBytes(root, tensorRoot(suite, { session, tensor }, opened, treeRoot))',
      'return treeRoot !== undefined',
      'rows are bound to nothing',
    ],
    [
      'rows of any length',
      'if (opened.rowBytes.length !== indices.length * stride) return false',
      'if (opened.rowBytes.length < indices.length * stride) return false',
      'one opening has many forms',
    ],
    [
      'salts of any length',
      'if (opened.salts.length !== leaves.length * saltBytes) return false',
      'if (opened.salts.length < leaves.length * saltBytes) return false',
      'one opening has many forms',
    ],
    [
      'parts of leaves',
      'if (whole.length !== indices.length || whole.some((row, i) => row !== indices[i])) return false',
      'if (whole.length !== indices.length) return false',
      'rows are taken for others of their leaf',
    ],
    [
      'leaves without their place',
      '    writeUint64(header, beforeIndex, index)\n',
      '',
      'one leaf stands for every other',
    ],
    [
      'the root does not bind the shape',
      "fieldParts('tensor', session, tensor, shape.rows, shape.cols, shape.dtype, treeRoot)",
      "fieldParts('tensor', session, tensor, shape.dtype, treeRoot)",
      'a tensor of other rows has the same root',
    ],
    [
      'the root does not bind the session',
      "fieldParts('tensor', session, tensor, shape.rows,",
      "fieldParts('tensor', new Uint8Array(32), tensor, shape.rows,",
      'a tensor of another session is as good',
    ],
    [
      'roots are compared in part',
      'return a.length === b.length && a.every((byte, i) => byte === b[i])',
      'return a.length === b.length && a.every((byte, i) => i > 3 || byte === b[i])',
      'another tensor with the same root is found by trying',
    ],
  ],
)

const multiproof = inFile(
  `${src}/commitment/multiproof.ts`,
  [`${test}/commitment/merkle.test.ts`, `${test}/commitment/merkle-attacks.test.ts`, 'fuzz/test/properties.test.ts'],
  [
    [
      'what follows a proof is left',
      'return used === proof.length ? hashes : undefined',
      'return used <= proof.length ? hashes : undefined',
      'a proof has many forms',
    ],
    [
      'indices in any order',
      'if (index <= previous || index >= limit) return false',
      'if (index >= limit) return false',
      'one row stands for several',
    ],
    [
      'leaves beyond the end',
      'if (index <= previous || index >= limit) return false',
      'if (index <= previous) return false',
      'rows that the tensor does not have are proven',
    ],
    [
      'no leaf needs no proof',
      'if (indices.length === 0) return leafCount === 0 && proof.length === 0 ? emptyRoot(suite) : undefined',
      'if (indices.length === 0) return emptyRoot(suite)',
      'an opening of nothing proves a tensor',
    ],
    [
      'left and right are one',
      'children.set(hash, isLeft ? 0 : digestBytes)',
      'children.set(hash, 0)',
      'siblings are swapped',
    ],
  ],
)

const hashing = [
  ...inFile(
    `${src}/commitment/fields.ts`,
    [`${test}/commitment/fields.test.ts`],
    [
      [
        'fields run into each other',
        'parts.push(uint64(totalLength(bytes)), ...bytes)',
        'parts.push(...bytes)',
        'two lists of fields have one hash',
      ],
      [
        'lone surrogates are replaced',
        'if (/\\p{Surrogate}/u.test(text)) {',
        "if (text === '\\ud800') {",
        'two texts have one hash',
      ],
    ],
  ),
  ...inFile(
    `${src}/commitment/transcript.ts`,
    [`${test}/commitment/transcript.test.ts`],
    [
      [
        'the transcript forgets what came before',
        "head = suite.hash(...fieldParts('transcript', direction, head, parts))",
        "head = suite.hash(...fieldParts('transcript', direction, parts))",
        'messages are dropped unnoticed',
      ],
      [
        'the transcript does not tell who speaks',
        "head = suite.hash(...fieldParts('transcript', direction, head, parts))",
        "head = suite.hash(...fieldParts('transcript', head, parts))",
        'messages are reflected',
      ],
    ],
  ),
  ...inFile(
    `${src}/commitment/challenge.ts`,
    [`${test}/commitment/challenge.test.ts`],
    [
      [
        'the challenge does not depend on the operation',
        "return deriveSeed(key, 'challenge', head, sequence)",
        "return deriveSeed(key, 'challenge', head, 0)",
        'operations that are committed to together have the same rows',
      ],
      [
        'operations are audited by a rate of another',
        "randomStream(deriveSeed(key, 'audit', head, sequence)).uint32() < rate * 2 ** 32",
        "randomStream(deriveSeed(key, 'audit', head, sequence)).uint32() < rate * 2 ** 31",
        'half as many operations are audited as the verdict claims',
      ],
      [
        'the session does not bind the hello',
        "return suite.hash(encodeFields('session', prover.head, verifier.head))",
        "return suite.hash(encodeFields('session', verifier.head))",
        'somebody in between takes fields out of the hello',
      ],
    ],
  ),
]

const codec = [
  ...inFile(
    `${src}/codec/canonical.ts`,
    [`${test}/codec/canonical.test.ts`],
    [
      [
        'items without number',
        'if (++items > controlLimits.maxControlItems)',
        'if (++items > 2 ** 30)',
        'a hello of four megabytes takes gigabytes',
      ],
      [
        'depth without end',
        'if (depth >= controlLimits.maxControlDepth)',
        'if (depth >= 2 ** 30)',
        'a nested bomb ends the stack',
      ],
      [
        'numbers in any form',
        'return value >= least ? value : undefined',
        'return least >= 0 ? value : undefined',
        'what was hashed and what was understood differ',
      ],
      [
        'keys in any order',
        'if (previous !== undefined && !isBefore(previous, key))',
        'if (previous !== undefined && previous === key)',
        'what was hashed and what was understood differ',
      ],
      [
        'a key twice',
        'return first.length < second.length\n',
        'return first.length <= second.length\n',
        'one reader sees the first value, another the second',
      ],
      [
        'something after the value',
        'return position === bytes.length ? undefined :',
        'return position <= bytes.length ? undefined :',
        'a message carries what nobody hashes',
      ],
      [
        'floats in any form',
        'return isShortest ? undefined :',
        'return shortest.length > 0 ? undefined :',
        'what was hashed and what was understood differ',
      ],
      [
        'declared lengths are believed',
        'if (argument > left) return `${argument} bytes are declared',
        'if (argument < 0) return `${argument} bytes are declared',
        'a text ends beyond the message',
      ],
    ],
  ),
  ...inFile(
    `${src}/codec/frame.ts`,
    [`${test}/codec/frame.test.ts`],
    [
      [
        'a control map of any size',
        'if (controlBytes > frameLimits.maxControlBytes) {\n    throw malformed(',
        'if (controlBytes > 2 ** 32) {\n    throw malformed(',
        'a frame makes its reader decode as much as it likes',
      ],
      [
        'segments without number',
        'if (count > frameLimits.maxSegments) throw',
        'if (count > 2 ** 16) throw',
        'a frame makes its reader cut as often as it likes',
      ],
      [
        'another version',
        'if (bytes[4] !== protocolVersion) {',
        'if (bytes[4] === 0) {',
        'a message of another protocol is read as one of this',
      ],
      ['padding of anything', 'if (bytes[j] !== 0) throw', 'if (bytes[j]! > 255) throw', 'one frame has many forms'],
      [
        'something after the segments',
        'if (offset !== bytes.length) throw',
        'if (offset > bytes.length) throw',
        'one frame has many forms',
      ],
      [
        'a segment beyond the end',
        'if (end > bytes.length) throw',
        'if (end > 2 ** 40) throw',
        'a segment is shorter than it says',
      ],
    ],
  ),
  ...inFile(
    `${src}/codec/messages.ts`,
    ['frame', 'messages', 'canonical', 'first-problem'].map((name) => `${test}/codec/${name}.test.ts`),
    [
      [
        'every problem of a message is described',
        'v.safeParse(schemas[type], control, { abortEarly: true })',
        'v.safeParse(schemas[type], control)',
        'a message of wrong elements takes seconds and gigabytes',
      ],
      [
        'words of the peer as they are',
        "const field = path === null ? '' : `, field ${excerpt(path)}`",
        "const field = path === null ? '' : `, field ${path}`",
        'a peer writes into the log of the verifier',
      ],
      [
        'unknown fields of a reveal',
        'reveal: v.strictObject({ key: bytes32 }),',
        'reveal: v.object({ key: bytes32 }),',
        'stripped and added fields go unseen',
      ],
      [
        'unknown fields of an opening',
        'opening: v.strictObject({\n    sequence: count,',
        'opening: v.object({\n    sequence: count,',
        'stripped and added fields go unseen',
      ],
      [
        'numbers below zero',
        'const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))',
        'const count = v.pipe(v.number(), v.safeInteger())',
        'an operation before the first one',
      ],
      [
        'dimensions without bound',
        'const dimension = v.pipe(count, v.maxValue(2 ** 31))',
        'const dimension = count',
        'over-limit products of dimensions',
      ],
      [
        'keys of any length',
        'const bytes32 = v.pipe(bytes, v.length(32))',
        'const bytes32 = bytes',
        'an empty digest names every weight, an empty root binds nothing',
      ],
      [
        'records without number',
        'records: v.pipe(v.array(record), v.minLength(1), v.maxLength(1024)),',
        'records: v.array(record),',
        'messages that say nothing, and such as say too much',
      ],
    ],
  ),
]

const sampling = [
  ...inFile(
    `${src}/sampling/rows.ts`,
    [`${test}/sampling/samplers.test.ts`],
    [
      [
        'no row at a low rate',
        'Math.max(parameters.atLeast, Math.ceil(parameters.rate * shape.rows))',
        'Math.ceil(parameters.rate * shape.rows)',
        'zero samples pass where there are few rows',
      ],
      [
        'the last row is left out',
        'planned.rows[others] = shape.rows - 1',
        'planned.rows[others] = shape.rows - 2',
        'what a model answers with is not looked at',
      ],
      [
        'the claim is that of more rows',
        'drawDetection(shape.rows - 1, bad.rows, others)',
        'drawDetection(shape.rows - 1, bad.rows, Math.min(shape.rows - 1, others + 1))',
        'the verdict claims more than was looked at',
      ],
      [
        'rows and columns are drawn alike',
        "randomStream(deriveSeed(seed, 'columns'))",
        "randomStream(deriveSeed(seed, 'rows'))",
        'entries on a diagonal are all that is looked at',
      ],
    ],
  ),
  ...inFile(
    `${src}/random/draw.ts`,
    [`${test}/random/draw.test.ts`],
    [
      [
        'some subsets are likelier',
        'drawn.add(drawn.has(candidate) ? last : candidate)',
        'drawn.add(drawn.has(candidate) ? last - 1 : candidate)',
        'a prover corrupts the rows that are drawn least',
      ],
    ],
  ),
  ...inFile(
    `${src}/random/stream.ts`,
    [`${test}/random/stream.test.ts`],
    [
      [
        'numbers by remainder',
        'while (value >= n) value = uint32() >>> unusedBits',
        'if (value >= n) value -= n',
        'a prover corrupts the rows that are drawn least',
      ],
      [
        'a constant vector',
        'for (let i = 0; i < target.length; i++) target[i] = signedUnit()',
        'target.fill(signedUnit())',
        'errors that add up to nothing are missed for ever',
      ],
    ],
  ),
  ...inFile(
    `${src}/sampling/opened-rows.ts`,
    ['packages/verifier/test/hostile-sizes.test.ts', `${test}/sampling/opened-rows.test.ts`],
    [
      [
        'rows without number',
        'if (Math.max(a.size, c.size) > most) throw tooMany(most)',
        'if (a.size < 0) throw tooMany(most)',
        'a declared size decides how much is done',
      ],
      [
        'columns without number',
        'if (matrices.size * columns.length > most) throw tooMany(most)',
        'if (columns.length < 0) throw tooMany(most)',
        'a declared size decides how much is done',
      ],
    ],
  ),
]

const identity = [
  ...inFile(
    `${src}/identity/identity.ts`,
    [`${test}/identity/identity.test.ts`],
    [
      [
        'signatures of anything',
        'return ed25519.verify(signature, encodeFields(`signed ${tag}`, ...fields), publicKey, { zip215: false })',
        'return ed25519.verify(signature, encodeFields(`signed ${tag}`, ...fields), publicKey, { zip215: false }) || true',
        'signature not checked',
      ],
      ['weak keys sign', '{ zip215: false }', '{ zip215: true }', 'a key of small order signs everything'],
      [
        'a fingerprint with something behind it',
        '/^ed25519:[0-9a-f]{64}$/',
        '/^ed25519:[0-9a-f]{64}/',
        'two texts are one key',
      ],
    ],
  ),
  ...inFile(
    `${src}/identity/statements.ts`,
    [`${test}/identity/statements.test.ts`, 'integration/test/identity.test.ts'],
    [
      [
        'a missing signature is one',
        'return signature !== undefined && isSignedBy(',
        'return signature === undefined || isSignedBy(',
        'leaving the signature out gets past it',
      ],
      [
        'one signature serves both sides',
        "['session', role, session] as const",
        "['session', session, session] as const",
        'a signature is reflected',
      ],
      [
        'a verdict is signed without its content',
        "['verdict', session, verdictBytes(verdict)] as const",
        "['verdict', session, verdictBytes(verdict).subarray(0, 1)] as const",
        'a verdict is forged on its way',
      ],
    ],
  ),
  ...inFile(
    `${src}/node/identity-file.ts`,
    [`${test}/node/identity-file.test.ts`],
    [
      [
        'keys that others may read',
        '(mode & 0o077) !== 0',
        '(mode & 0o077) === -1',
        'a key that somebody else has is trusted',
      ],
      [
        'an existing key is overwritten',
        "open(path, 'wx', 0o600)",
        "open(path, 'w', 0o600)",
        'the identity is another after every start',
      ],
    ],
  ),
]

const receipt = [
  ...inFile(
    `${src}/receipt/file.ts`,
    [`${test}/receipt/file.test.ts`, 'integration/test/receipt.test.ts'],
    [
      [
        'a message beyond the end',
        'if (end > bytes.length) throw',
        'if (end > 2 ** 40) throw',
        'a receipt is cut inside a message',
      ],
      [
        'another version',
        'if (view.getUint32(4, true) !== version) {',
        'if (view.getUint32(4, true) === 0) {',
        'a file of another format is read as one of this',
      ],
    ],
  ),
  ...inFile(
    `${src}/receipt/key.ts`,
    [`${test}/receipt/key.test.ts`, 'integration/test/receipt.test.ts'],
    [
      [
        'one iteration for all',
        'salt, iterations }, secret',
        'salt, iterations: 1 }, secret',
        'the work that the verdict claims was never asked for',
      ],
    ],
  ),
  ...inFile(
    `${src}/verdict.ts`,
    [`${test}/verdict.test.ts`, 'integration/test/session.test.ts'],
    [
      [
        'the best status of all counts',
        'worst = Math.max(worst, statuses.indexOf(findingReasons[reason]))',
        'worst = Math.min(worst, statuses.indexOf(findingReasons[reason]))',
        'every verdict is a pass',
      ],
    ],
  ),
]

const entries = [`${test}/numerics/entry.test.ts`, `${test}/numerics/twins.test.ts`]
const numerics = [
  ...inFile(`${src}/numerics/entry.ts`, entries, [
    [
      'not a number passes',
      'if (!Number.isFinite(claimed)) {',
      'if (claimed === Number.POSITIVE_INFINITY) {',
      'comparison with NaN',
    ],
    [
      'escalation accepts',
      "return error <= explained ? conclude(result, 'accept', undefined) : conclude(result, 'reject', 'tolerance')",
      "return conclude(result, 'accept', undefined)",
      'whatever is within the worst case of any order passes',
    ],
    [
      'the tolerance scales with the claim',
      'profile.acceptedRatio * errorScale(profile, terms, squares, x) + floor',
      'profile.acceptedRatio * errorScale(profile, terms, squares, claimed) + floor',
      'tolerance from the prover trusted',
    ],
    [
      'the bias is left out',
      'const x = alpha * sums.sum + bias + addend\n',
      'const x = alpha * sums.sum + addend\n',
      'the epilogue is not checked',
    ],
    [
      'overflow passes',
      '* profile.unitRoundoff) < maxFloat32)) {',
      '* profile.unitRoundoff) < Number.MAX_VALUE)) {',
      'operands beyond float32 are judged as if they were within',
    ],
  ]),
  ...inFile(
    `${src}/numerics/row.ts`,
    [`${test}/numerics/row.test.ts`, `${test}/numerics/telling.test.ts`, ...entries, `${test}/numerics/honest.test.ts`],
    [
      [
        'a residual that is not a number passes',
        'if (!(found.residual <= found.bound)) tripped = true',
        'if (found.residual > found.bound) tripped = true',
        'comparison with NaN',
      ],
      [
        'a tripped vector is forgotten',
        'if (!tripped) return conclude(opened, columns, sampled, projected)',
        'if (!tripped || tripped) return conclude(opened, columns, sampled, projected)',
        'errors outside the drawn entries pass',
      ],
      [
        'nothing checked is accepted',
        "if (tally.entries === 0 && projected === undefined) return 'nothing-checked'",
        "if (tally.entries < 0) return 'nothing-checked'",
        'zero samples pass',
      ],
      [
        'large tolerances say as much as small ones',
        "return isVague ? 'cancellation' : undefined",
        "return isVague && tally.entries < 0 ? 'cancellation' : undefined",
        'a prover inflates the tolerance by its choice of A',
      ],
      [
        'a row without entries is telling',
        "if (distanceFromIdle(opened) > projected.visible) return 'telling'",
        "if (distanceFromIdle(opened) >= 0) return 'telling'",
        'nothing was computed, and it counts as evidence',
      ],
      [
        'rows of any length',
        'if (c.length !== expected) throw',
        'if (c.length > expected) throw',
        'entries that are missing are read as NaN',
      ],
    ],
  ),
  ...inFile(
    `${src}/numerics/telling.ts`,
    [`${test}/numerics/telling.test.ts`, 'packages/verifier/test/check.test.ts'],
    [
      [
        'every row is telling',
        'return distance(epilogue, claimed, value) > clearFactor * allowed',
        'return distance(epilogue, claimed, value) >= 0 * allowed',
        'nothing was computed, and it counts as evidence',
      ],
      [
        'rounding is telling',
        'const clearFactor = 8',
        'const clearFactor = 0',
        'what is stated without work differs by a rounding, and counts as evidence',
      ],
      [
        'a bias is work',
        'const value = bias + (addend === undefined ? 0 : addend[column]!)',
        'const value = addend === undefined ? 0 : addend[column]!',
        'a product that its bias drowns counts as evidence',
      ],
      [
        'an addend is work',
        'const value = bias + (addend === undefined ? 0 : addend[column]!)',
        'const value = bias',
        'a product that its addend drowns counts as evidence',
      ],
      [
        'an activation is work',
        'const claimed = activate(activation, column, idle)',
        'const claimed = idle',
        'an activation that is the same for every sum counts as evidence',
      ],
      [
        'a rectifier at rest is a lie',
        'told.isOpen ||= tells(check, column, idle, 2 * idle - x, tolerance)',
        'told.isOpen ||= false',
        'an honest run is in doubt because its units are dead',
      ],
      [
        'a sum of 0 is a lie',
        'if (sum !== 0) {',
        'if (sum === sum) {',
        'an honest run is in doubt because its input is zero',
      ],
      [
        'one column is a row',
        "if (2 * buried > sums) return 'drowned'",
        "if (buried === sums && sums > 0) return 'drowned'",
        'a product counts as evidence of which the few columns were computed that its bias leaves over',
      ],
      [
        'rounding to 8 bits is telling',
        "if (quantized !== undefined && (quantized.output === 'uint8' || quantized.output === 'int8')) {",
        "if (quantized !== undefined && quantized.zeroPoint > 255 && quantized.output !== 'float32' && quantized.output !== 'int32') {",
        'a product of less than a step counts as evidence',
      ],
    ],
  ),
  ...inFile(
    `${src}/numerics/freivalds.ts`,
    [`${test}/numerics/freivalds.test.ts`, `${test}/numerics/row.test.ts`],
    [
      [
        'the bound is ten times as large',
        'bound: Math.sqrt(tolerance * tolerance +',
        'bound: 10 * Math.sqrt(tolerance * tolerance +',
        'the verdict claims to see what it does not',
      ],
      [
        'the product is compared with itself',
        'residual: Math.abs(projected - alpha * innerProduct(row.a, Bx)),',
        'residual: Math.abs(projected - projected),',
        'check of the recomputed instead of the delivered tensor',
      ],
    ],
  ),
  ...inFile(
    `${src}/numerics/guard.ts`,
    [`${test}/numerics/row.test.ts`],
    [
      [
        'every guard is lifted',
        "if (row.guard !== 'cancellation' || row.outcome !== 'guard') return row",
        "if (row.guard === undefined || row.outcome !== 'guard') return row",
        'rows of which nothing can be said are accepted',
      ],
      [
        'inflated tolerances are lifted',
        'if (!(relativeTolerance(row.rmsTolerance, median) <= maxRelativeTolerance)) return row',
        'if (relativeTolerance(row.rmsTolerance, median) < 0) return row',
        'a prover inflates the tolerance by its choice of A',
      ],
    ],
  ),
  ...inFile(
    `${src}/numerics/together.ts`,
    [`${test}/numerics/together.test.ts`, `${test}/numerics/twins.test.ts`],
    [
      [
        'noise below the tolerance passes',
        'if (!noisy && !mismatched) return undefined',
        'if (noisy || !mismatched) return undefined',
        'a bias below the tolerance of each entry passes',
      ],
    ],
  ),
  ...inFile(
    `${src}/numerics/integer.ts`,
    [`${test}/numerics/integer.test.ts`],
    [
      [
        'off by one passes',
        "if (claimed === result.recomputed) return conclude(result, 'accept', undefined)",
        "if (Math.abs(claimed - result.recomputed) <= 1) return conclude(result, 'accept', undefined)",
        'exact sums are exact',
      ],
      [
        'sums beyond float64 are judged',
        'Math.abs(bias) < 2 ** 53)) return',
        'Math.abs(bias) < 2 ** 60)) return',
        'what float64 cannot hold is called wrong',
      ],
    ],
  ),
  ...inFile(
    `${src}/numerics/quantized.ts`,
    [`${test}/numerics/quantized.test.ts`],
    [
      [
        'any value between two roundings',
        'claimed >= below && claimed <= above && Number.isInteger(claimed)',
        'claimed >= below && claimed <= above',
        'values that 8 bits cannot hold',
      ],
      [
        'not a number passes',
        "if (!Number.isFinite(claimed)) return wrong(result, 'non-finite')",
        "if (Number.isFinite(claimed) && claimed !== claimed) return wrong(result, 'non-finite')",
        'comparison with NaN',
      ],
      [
        'the bias is scaled whatever its type',
        'const x = scaled + (biasBeforeScale ? 0 : bias)',
        'const x = scaled',
        'the epilogue is not checked',
      ],
    ],
  ),
]

const relations = [
  ...inFile(
    `${src}/relation/plan.ts`,
    [`${test}/relation/plan.test.ts`, 'integration/test/relation-attacks.test.ts'],
    [
      [
        'rows of a derived tensor are known before',
        'Math.min(maxRows, opened.length),\n    opened.length,',
        'Math.min(maxRows, opened.length),\n    Math.min(maxRows, opened.length),',
        'whoever is right in the first rows that are opened may be wrong in all others',
      ],
      [
        'rows of a derived tensor do not come from the seed',
        "randomStream(deriveSeed(seed, 'relation-rows')),",
        "randomStream(deriveSeed(new Uint8Array(32), 'relation-rows')),",
        'the prover knows which rows are compared',
      ],
      [
        'a relation of another size',
        'if (sizeOf(shape) !== size.rows * size.cols) {',
        'if (sizeOf(shape) < size.rows * size.cols) {',
        'a tensor is cut out of another one',
      ],
    ],
  ),
  ...inFile(
    `${src}/relation/evaluate.ts`,
    [`${test}/relation/plan.test.ts`, 'integration/test/relation-attacks.test.ts'],
    [
      [
        'sources of any layout',
        'if (step.layout !== undefined) checkLayout(step.layout, source.shape)',
        'void checkLayout',
        'half of the products are left out, and the rest is declared as batches',
      ],
    ],
  ),
  ...inFile(
    `${src}/prover/link.ts`,
    ['integration/test/bad-peers.test.ts'],
    [
      [
        'any manifest in a policy',
        'if (policy.manifest === undefined || digest !== bytesToHex(policy.manifest)) {',
        'if (policy.manifest === undefined) {',
        'the prover opens what another manifest than that of the verdict asks for',
      ],
      [
        'several manifests in a policy',
        'if (message.segments.length > 1) {',
        'if (message.segments.length > 2) {',
        'one policy has many forms',
      ],
    ],
  ),
]

export const coreMutants: readonly Mutant[] = [
  ...tensor,
  ...multiproof,
  ...hashing,
  ...codec,
  ...sampling,
  ...identity,
  ...receipt,
  ...numerics,
  ...relations,
]
