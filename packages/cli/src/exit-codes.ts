import type { Status } from '@tensor-assay/core'

/** What the shell gets: of a command that gives a verdict its status, of any other 0. */
export const exitCodes = { pass: 0, fail: 1, incomplete: 2, inconclusive: 2 } as const satisfies Record<Status, number>

/** Something was asked for that makes no sense, or the world failed: a file, an address. */
export const troubleCode = 3
