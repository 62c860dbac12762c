import type { Finding, FindingReason, Verdict } from '@tensor-assay/core'

export const statusWords: Readonly<
  Record<Verdict['status'], { readonly style: string; readonly title: string; readonly sentence: string }>
> = {
  pass: {
    style: 'good',
    title: 'Nothing wrong was found',
    sentence:
      'Everything that was declared was checked as the policy asks, and every opened row is what the weights give.',
  },
  fail: {
    style: 'bad',
    title: 'The run is not what it claims to be',
    sentence: 'A value, a commitment or a claim of the prover is wrong.',
  },
  incomplete: {
    style: 'doubtful',
    title: 'The audit did not get to its end',
    sentence: 'Something broke it off, or the prover left operations out. That says nothing for the run.',
  },
  inconclusive: {
    style: 'doubtful',
    title: 'Too little was seen',
    sentence: 'Nothing is wrong in what was looked at, and too little was looked at to say more.',
  },
}

export const claimWords: Readonly<Record<Verdict['claim'], string>> = {
  adversarial:
    'It holds against a prover that adapts to everything before it committed. It is evidence, not proof: rows that were not drawn go unseen.',
  cost: 'A receipt puts a price on cheating: whoever wants to forge one tries again until the challenges miss what is wrong.',
  fault: 'It finds accidents. A prover that means to cheat knows which rows to get right.',
  none: 'There is no verdict of a verifier, so nothing is claimed.',
}

const reasonWords: Readonly<Partial<Record<FindingReason, string>>> = {
  'value-out-of-tolerance': 'A result is further from the product of its operands than rounding explains',
  'value-not-finite': 'A result is not a number where the product is one',
  'values-biased': 'The results are off in a way that rounding does not explain',
  'commitment-mismatch': 'What was opened is not what was committed to',
  'weight-unknown': 'A product uses weights that are not those of the model',
  'policy-mismatch': 'It was made for other terms or other weights than those it is checked against',
  'relation-broken': 'Between two products something else was computed than the model computes there',
  'input-mismatch': 'The model was run on another input',
  'protocol-violation': 'The file or the conversation is not as the protocol has it',
  'peer-untrusted': 'It is not by somebody who is trusted',
  'channel-lost': 'The connection was lost',
  'operation-opaque': 'An operation cannot be stated as a product',
  'input-unbound': 'The input was not checked',
}

/** What is wrong, in a sentence without its full stop. */
export function reasonInWords({ reason }: Finding): string {
  return reasonWords[reason] ?? reason.replaceAll('-', ' ')
}

/** Where it is wrong, with the numbers where there are any. */
export function detailInWords({ sequence, operation, message, evidence }: Finding): string {
  const place = sequence === undefined ? '' : `Product ${sequence}${operation ? ` (${operation})` : ''}: `
  const { row, column, claimed, recomputed, bound } = evidence ?? {}
  if (column === undefined || claimed === undefined || recomputed === undefined) return visible(place + message)
  const explained = bound === undefined ? '' : `; rounding explains at most ${brief(bound, 2)}`
  return visible(
    `${place}row ${row}, column ${column} is claimed to be ${brief(claimed)} and is ${brief(recomputed)}${explained}.`,
  )
}

/** A probability, rounded down so that nothing is promised that was not computed. */
export function percent(probability: number): string {
  return `${(Math.floor(probability * 1000) / 10).toFixed(1)}%`
}

/** What the other side wrote, without characters that are not seen or turn text around. */
export function visible(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}

function brief(value: string, digits = 6): string {
  const number = Number(value)
  return Number.isFinite(number) ? String(Number(number.toPrecision(digits))) : value.slice(0, 40)
}
