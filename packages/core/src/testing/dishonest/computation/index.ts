import type { ComputationAttack } from '../attack.ts'
import { arithmeticAttacks } from './arithmetic.ts'
import { operandAttacks } from './operands.ts'
import { resultAttacks } from './results.ts'
import { drownedStatements } from './statements/drowned.ts'
import { otherComputations } from './statements/other.ts'
import { refusedStatements } from './statements/refused.ts'
import { wrongStatements } from './statements/wrong.ts'
import { weightAttacks } from './weights.ts'

/** Every lie about what was computed. */
export const computationAttacks: readonly ComputationAttack[] = [
  ...resultAttacks,
  ...weightAttacks,
  ...arithmeticAttacks,
  ...operandAttacks,
  ...wrongStatements,
  ...refusedStatements,
  ...drownedStatements,
  ...otherComputations,
]
