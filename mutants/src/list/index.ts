import type { Mutant } from '../mutant.ts'
import { coreMutants } from './core.ts'
import { verifierMutants } from './verifier.ts'

export const mutants: readonly Mutant[] = [...verifierMutants, ...coreMutants]
