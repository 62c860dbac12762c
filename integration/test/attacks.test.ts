import {
  type Attack,
  type ComputationAttack,
  computationAttacks,
  type Expected,
  type Knowledge,
  protocolAttacks,
} from '@tensor-assay/core/testing'
import { tcp } from '@tensor-assay/transport-tcp'
import { describe, expect, test } from 'vitest'
import { expectVerdict, liesTold, runAttack, said } from '../support/attack-session.ts'
import { attentionVictim, convolutionVictim, fusedVictim, linearVictim, type Victim } from '../support/victims.ts'

/** An attack against a verifier that knows the weights, and against one for each further thing that changes the verdict. */
function variants(attack: Attack): [knows: Knowledge | undefined, expected: Expected][] {
  const further = Object.entries(attack.expectedWith ?? {}) as [Knowledge, Expected][]
  return [[undefined, attack.expected], ...further]
}

const title = (attack: Attack, knows: Knowledge | undefined, expected: Expected) =>
  `${attack.name}: ${expected}${knows === undefined ? '' : `, by a verifier that knows the ${knows}`}`

const victims: Record<string, () => Victim> = {
  'a linear model': linearVictim,
  'a model with biases and relu': fusedVictim,
  convolutions: convolutionVictim,
  'products of activations': attentionVictim,
}

// Rows of 32 float32 values lie in leaves of 32 rows: 33 leaves, a tree with odd nodes on five levels.
describe('protocol attacks', () => {
  for (const attack of protocolAttacks()) {
    for (const [knows, expected] of variants(attack)) {
      test(title(attack, knows, expected), async () => {
        const { verifier, prover } = await runAttack(attack, linearVictim(33 * 32), { knows })
        expectVerdict(verifier, expected, attack.says)
        if (attack.by === 'prover') return
        const wanted = (knows && attack.proverWith?.[knows]) ?? attack.prover ?? expected
        expect(said(prover)).toBe(wanted === 'limit' ? 'pass' : wanted)
      })
    }
  }
})

describe('without a lie', () => {
  const nothing = { name: 'nothing', description: 'an honest run', expected: 'pass' } as const
  const attacks: Attack[] = [
    { ...nothing, kind: 'computation' },
    { ...nothing, kind: 'protocol', by: 'prover', lie: () => ({}) },
    { ...nothing, kind: 'protocol', by: 'prover', lie: () => ({}), policy: { mode: 'spot' } },
    { ...nothing, kind: 'protocol', by: 'middle', interfere: () => ({}) },
  ]
  test.each(attacks)('the wrappers change nothing', async (attack) => {
    for (const victim of Object.values(victims)) {
      const knows = victim().multipliesActivations ? ('manifest' as const) : undefined
      const { verifier } = await runAttack(attack, victim(), { steps: 2, knows })
      expectVerdict(verifier, 'pass', undefined)
    }
  })
})

describe('over TCP as in memory', () => {
  const some = ['opening: another row', 'commitment: zero', 'replay: a whole session', 'transit: another challenge']
  for (const attack of protocolAttacks().filter(({ name }) => some.includes(name))) {
    test(title(attack, undefined, attack.expected), async () => {
      const transport = [tcp(), 'tcp://127.0.0.1:0'] as const
      expectVerdict(
        (await runAttack(attack, linearVictim(33 * 32), { transport })).verifier,
        attack.expected,
        undefined,
      )
    })
  }
})

const tried = new Set<ComputationAttack>()

/** Two steps, so that there is something earlier to be taken from; the lie is told in each of them. */
describe.each(Object.entries(victims))('computation attacks on %s', (_, victim) => {
  const { operations, multipliesActivations } = victim()
  for (const [where, place] of Object.entries({ first: 0, last: operations - 1 })) {
    const options = { steps: 2, where: (sequence: number) => sequence % operations === place }
    const applicable = computationAttacks.filter(
      (attack) =>
        liesTold(attack, victim(), options) > 0 &&
        // Where activations are accepted as B, nothing is refused for being one.
        !(multipliesActivations && attack.expected === 'activation-refused'),
    )
    describe(`in the ${where} operation`, () => {
      for (const attack of applicable) {
        tried.add(attack)
        for (const [knows, expected] of variants(attack)) {
          if (knows === 'input' && place !== 0) continue
          if (expected === 'link-broken' && place === 0) continue
          test(title(attack, knows, expected), async () => {
            const { verifier } = await runAttack(attack, victim(), { ...options, knows })
            expectVerdict(verifier, expected, attack.says)
          })
        }
      }
    })
  }
})

test('every attack has a name of its own, and is tried', () => {
  const names = [...computationAttacks, ...protocolAttacks()].map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  expect(computationAttacks.filter((attack) => !tried.has(attack)).map(({ name }) => name)).toEqual([])
})
