import { type ComputationAttack, computationAttacks, protocolAttacks } from '@tensor-assay/core/testing'
import { tcp } from '@tensor-assay/transport-tcp'
import { describe, expect, test } from 'vitest'
import { expectVerdict, runAttack, said } from '../support/attack-session.ts'
import { testComputationAttacks, testWithoutLie, title, variants } from '../support/attack-tests.ts'
import { fusedVictim, linearVictim, residualVictim } from '../support/victims.ts'

// Rows of 32 float32 values lie in leaves of 32 rows: 33 leaves, a tree with odd nodes on five levels.
const treeVictim = () => linearVictim(33 * 32)

describe('protocol attacks', () => {
  for (const attack of protocolAttacks()) {
    for (const [knows, expected] of variants(attack)) {
      test(title(attack, knows, expected), async () => {
        const { verifier, prover } = await runAttack(attack, treeVictim(), { knows })
        expectVerdict(verifier, expected, attack.says)
        if (attack.by === 'prover') return
        const wanted = (knows && attack.proverWith?.[knows]) ?? attack.prover ?? expected
        expect(said(prover)).toBe(wanted === 'limit' ? 'pass' : wanted)
      })
    }
  }
})

describe('over TCP as in memory', () => {
  const some = ['opening: another row', 'commitment: zero', 'replay: a whole session', 'transit: another challenge']
  for (const attack of protocolAttacks().filter(({ name }) => some.includes(name))) {
    test(title(attack, undefined, attack.expected), async () => {
      const transport = [tcp(), 'tcp://127.0.0.1:0'] as const
      const { verifier } = await runAttack(attack, treeVictim(), { transport })
      expectVerdict(verifier, attack.expected, undefined)
    })
  }
})

testWithoutLie('a linear model', linearVictim)
testWithoutLie('a model with biases and relu', fusedVictim)
testWithoutLie('a residual model', residualVictim)

const tried = new Set<ComputationAttack>([
  ...testComputationAttacks('a linear model', linearVictim),
  ...testComputationAttacks('a model with biases and relu', fusedVictim),
  ...testComputationAttacks('a residual model', residualVictim),
])

test('every attack has a name of its own, and is tried', () => {
  const names = [...computationAttacks, ...protocolAttacks()].map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  expect(computationAttacks.filter((attack) => !tried.has(attack)).map(({ name }) => name)).toEqual([])
})
