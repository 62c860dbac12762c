import {
  type Attack,
  type ComputationAttack,
  computationAttacks,
  type Expected,
  type Knowledge,
} from '@tensor-assay/core/testing'
import { describe, test } from 'vitest'
import { expectVerdict, liesTold, runAttack } from './attack-session.ts'
import type { Victim } from './victims.ts'

/** An attack against a verifier that knows the weights, and against one for each further thing that changes the verdict. */
export function variants(attack: Attack): [knows: Knowledge | undefined, expected: Expected][] {
  const further = Object.entries(attack.expectedWith ?? {}) as [Knowledge, Expected][]
  return [[undefined, attack.expected], ...further]
}

export function title(attack: Attack, knows: Knowledge | undefined, expected: Expected): string {
  return `${attack.name}: ${expected}${knows === undefined ? '' : `, by a verifier that knows the ${knows}`}`
}

/**
 * Tries every attack that makes sense on the first and on the last operation of a victim's model. Two steps, so that there
 * is something earlier to be taken from; the lie is told in each of them.
 *
 * @returns The attacks that are tried.
 */
export function testComputationAttacks(name: string, victim: () => Victim): ReadonlySet<ComputationAttack> {
  const tried = new Set<ComputationAttack>()
  const { operations, acceptsActivations } = victim()
  for (const [where, place] of Object.entries({ first: 0, last: operations - 1 })) {
    const options = { steps: 2, where: (sequence: number) => sequence % operations === place }
    const applicable = computationAttacks.filter(
      (attack) =>
        liesTold(attack, victim(), options) > 0 &&
        // Where activations are accepted, nothing is refused for being one.
        !(acceptsActivations && ['activation-refused', 'addend-unbound'].includes(attack.expected)),
    )
    for (const attack of applicable) tried.add(attack)
    describe(`in the ${where} operation of ${name}`, () => {
      for (const attack of applicable) {
        for (const [knows, more] of variants(attack)) {
          // An input is that of the first operation: what reads another one's C is not bound by it.
          const expected = knows === 'input' && place !== 0 ? attack.expected : more
          if (expected === 'link-broken' && place === 0) continue
          test(title(attack, knows, expected), async () => {
            const { verifier } = await runAttack(attack, victim(), { ...options, knows })
            expectVerdict(verifier, expected, attack.says)
          })
        }
      }
    })
  }
  return tried
}

/** An attack that is none: the wrappers by themselves change nothing. */
export function testWithoutLie(name: string, victim: () => Victim): void {
  const nothing = { name: 'nothing', description: 'an honest run', expected: 'pass' } as const
  const attacks: Record<string, Attack> = {
    'dishonest backend': { ...nothing, kind: 'computation' },
    'forged channel': { ...nothing, kind: 'protocol', by: 'prover', lie: () => ({}) },
    'forged channel in spot mode': {
      ...nothing,
      kind: 'protocol',
      by: 'prover',
      lie: () => ({}),
      policy: { mode: 'spot' },
    },
    'interfered channel': { ...nothing, kind: 'protocol', by: 'middle', interfere: () => ({}) },
  }
  test.each(Object.entries(attacks))(`without a lie a %s changes nothing for ${name}`, async (_, attack) => {
    const knows = victim().acceptsActivations ? ('manifest' as const) : undefined
    const { verifier } = await runAttack(attack, victim(), { steps: 2, knows })
    expectVerdict(verifier, 'pass', undefined)
  })
}
