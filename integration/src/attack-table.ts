// Writes into SECURITY.md which attacks are tried, what each is caught by, which succeed, and how often wrong rows are seen.
//
//   npm run attack-table
import { type Attack, computationAttacks, type Expected, protocolAttacks } from '@tensor-assay/core/testing'
import { document, markdownTable } from '../numerics/document.ts'
import { badRows, otherClaims } from '../support/experiments.ts'
import { claimsTooMuch, measure } from '../support/rates.ts'

const audits = 400

/** What the attacks whose names begin with the same word have in common. */
const families: Readonly<Record<string, string>> = {
  result: 'C is made up, altered or not a number',
  weights: 'C is that of other weights than those named',
  arithmetic: 'C is computed in cheaper arithmetic, or not to the end',
  operands: 'A, or what is added, is another than that of the run',
  statement: 'the product is stated otherwise than it ran',
  hello: 'a hello that breaks the rules',
  encoding: 'bytes that are no message',
  misplaced: 'messages where they have no place',
  open: 'a session opened otherwise',
  commitment: 'commitments to something else',
  record: 'records that contradict themselves or the schema',
  tensor: 'tensors declared otherwise than they are',
  sequence: 'operations numbered otherwise, or left out',
  opening: 'other rows, salts or proofs than those asked for',
  ending: 'challenges that are not answered',
  closing: 'a session closed otherwise',
  flood: 'more than the policy allows',
  replay: 'messages of an earlier session',
  spot: 'a session that binds nothing',
  transit: 'two honest sides, and somebody in between',
}

/** Every reason by which attacks are caught, the most frequent first. */
function reasons(attacks: readonly Attack[]): string {
  const counts = new Map<Expected, number>()
  for (const { expected } of attacks) counts.set(expected, (counts.get(expected) ?? 0) + 1)
  const names = new Map<Expected, string>([
    ['pass', 'changes nothing'],
    ['limit', 'succeeds, see below'],
  ])
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${names.get(reason) ?? `\`${reason}\``} ${count}`)
    .join(', ')
}

function familyOf({ kind, name }: Attack): string {
  const [prefix, rest] = name.split(': ')
  if (rest === undefined) return kind === 'computation' ? 'result' : 'other'
  return prefix!
}

/** What catches a limit if the verifier knows more than the weights. */
function remedies({ expectedWith = {} }: Attack): string {
  const known = Object.entries(expectedWith).map(([knowledge, reason]) => `${knowledge}: \`${reason}\``)
  return known.length === 0 ? 'nothing' : known.join(', ')
}

const attacks: readonly Attack[] = [...computationAttacks, ...protocolAttacks()]
const byFamily = new Map<string, Attack[]>()
for (const attack of attacks) {
  const family = familyOf(attack)
  byFamily.set(family, [...(byFamily.get(family) ?? []), attack])
}
const unknown = [...byFamily.keys()].filter((family) => families[family] === undefined)
const idle = Object.keys(families).filter((family) => !byFamily.has(family))
if (idle.length > 0) throw new Error(`families without attacks: ${idle.join(', ')}`)
if (unknown.length > 0) throw new Error(`attacks without a description of their family: ${unknown.join(', ')}`)

const caught = markdownTable(
  ['attacks', 'number', 'first finding of the verdict, or error that ends the session'],
  [...byFamily].map(([family, members]) => [families[family]!, `${members.length}`, reasons(members)]),
)
const limits = markdownTable(
  ['attack that passes', 'what is done', 'caught by a verifier that knows the'],
  attacks
    .filter(({ expected }) => expected === 'limit')
    .map((attack) => [attack.name, attack.description, remedies(attack)]),
)
const rates = []
for (const experiment of [...badRows, ...otherClaims]) {
  const rate = await measure(experiment, audits)
  if (claimsTooMuch(rate)) process.exitCode = 1
  rates.push([experiment.name, ...[rate.ceiling, rate.claimed, rate.caught / rate.audits].map((p) => p.toFixed(3))])
}

await document(
  'attack-table',
  `${attacks.length} attacks against a verifier that knows the weights and nothing else:

${caught}

The limits, all of them:

${limits}

Rows that are wrong at random places, ${audits} audits each. Opened: the stated probability that a wrong row is opened. Claimed: the
same times the stated power, which is 0 where only entries of rows are recomputed, though rows that are wrong everywhere show.
Caught: the share of the audits that failed.

${markdownTable(['wrong rows', 'opened', 'claimed', 'caught'], rates)}`,
  'SECURITY.md',
)
