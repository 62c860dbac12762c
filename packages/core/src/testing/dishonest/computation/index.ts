import type { ComputationAttack } from '../attack.ts'
import { arithmeticAttacks } from './arithmetic.ts'
import { operandAttacks } from './operands.ts'
import { resultAttacks } from './results.ts'
import { statementAttacks } from './statements.ts'
import { weightAttacks } from './weights.ts'

/** Every lie about what was computed. */
export const computationAttacks: readonly ComputationAttack[] = [
  ...resultAttacks,
  ...weightAttacks,
  ...arithmeticAttacks,
  ...operandAttacks,
  ...statementAttacks,
]
