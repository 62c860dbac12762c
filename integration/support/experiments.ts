import { grid, rows } from '@tensor-assay/core'
import { interactive, spot } from '@tensor-assay/verifier'
import { bfloat16Weights, type Corruption, oneEntry, otherValues, relativeNoise, twoEntries } from './corruptions.ts'
import type { Experiment } from './rates.ts'

/** Just above the relative error of a row that verdicts on these products call visible. */
const visible = 1.2e-5
const every = (m: number) => Array.from({ length: m }, (_, i) => i)

/** One bad row among 24, in the worst place: anywhere but last, which is always opened. */
export function oneBadRow(name: string, corruption: Corruption): Experiment {
  return {
    name: `one bad row among many: ${name}`,
    policy: interactive({ sampler: rows({ atLeast: 4 }) }),
    shapes: [[24, 48, 96]],
    wrongRows: (random) => [[random.below(23)]],
    corruption,
    stated: ({ oneRow }) => oneRow,
  }
}

export const badRows: readonly Experiment[] = [
  oneBadRow('other values', otherValues),
  oneBadRow('one bad entry, just visible', oneEntry(visible)),
  oneBadRow('weights rounded to bfloat16', bfloat16Weights),
  oneBadRow('relative noise of 1e-3', relativeNoise(1e-3)),
]

export const otherClaims: readonly Experiment[] = [
  {
    ...oneBadRow('', twoEntries(visible)),
    name: 'the hardest error that is just visible, in a row that is opened and checked by vectors alone',
    policy: interactive({ sampler: rows({ rate: 1 }), entries: 0 }),
    shapes: [[4, 48, 96]],
    wrongRows: (random) => [[random.below(4)]],
  },
  {
    ...oneBadRow('', otherValues),
    name: 'a tenth of the rows of a product',
    wrongRows: (random) => [[0, 1, 2].map((third) => third * 7 + random.below(7))],
    stated: ({ byFraction }) => byFraction.find(({ fraction }) => fraction === 0.1)!.inOneOperation,
  },
  {
    ...oneBadRow('', otherValues),
    name: 'one bad row in every product',
    shapes: every(3).map(() => [24, 48, 96]),
    wrongRows: (random) => every(3).map(() => [random.below(23)]),
    stated: ({ byFraction }) => byFraction.find(({ fraction }) => fraction === 0.01)!.inEveryOperation,
  },
  {
    ...oneBadRow('', otherValues),
    name: 'one bad row where half of the products are audited',
    policy: interactive({ sampler: rows({ atLeast: 4 }), operationRate: 0.5 }),
    shapes: every(2).map(() => [24, 48, 96]),
  },
  {
    ...oneBadRow('', otherValues),
    name: 'one bad row in a large product where half of the products are audited, perhaps a small one alone',
    policy: interactive({ sampler: rows({ atLeast: 4 }), operationRate: 0.5 }),
    shapes: [
      [5, 48, 96],
      [24, 48, 96],
    ],
    wrongRows: (random) => [[], [random.below(23)]],
  },
  {
    ...oneBadRow('', otherValues),
    name: 'one bad row in a spot session',
    policy: spot({ sampler: rows({ atLeast: 4 }) }),
  },
  {
    ...oneBadRow('', otherValues),
    name: 'one bad row under a grid of entries',
    policy: interactive({ sampler: grid({ atLeast: 4 }) }),
    wrongRows: (random) => [[random.below(24)]],
  },
  {
    ...oneBadRow('', bfloat16Weights),
    name: 'all rows: weights rounded to bfloat16',
    wrongRows: () => [every(24)],
    stated: ({ byFraction }) => byFraction.find(({ fraction }) => fraction === 1)!.inOneOperation,
  },
  {
    ...oneBadRow('', relativeNoise(1e-3)),
    name: 'all rows: relative noise of 1e-3',
    wrongRows: () => [every(24)],
    stated: ({ byFraction }) => byFraction.find(({ fraction }) => fraction === 1)!.inOneOperation,
  },
]
