import type { Verdict } from '@tensor-assay/core'
import { tcp } from '@tensor-assay/transport-tcp'
import { createVerifier, interactive, spot } from '@tensor-assay/verifier'
import { describe, expect, test } from 'vitest'
import { modelWeights } from '../support/model.ts'
import type { Cheat } from '../support/plain-backend.ts'
import { plainSession } from '../support/plain-session.ts'

const cheats: Readonly<Record<string, Cheat>> = {
  honest: () => ({}),
  'all of a result': ({ c }) => ({ c: { ...c, data: c.data.map((value) => value * 1.01) } }),
  'the last row': ({ c }) => ({ c: { ...c, data: c.data.with(-1, c.data.at(-1)! + 1) } }),
  'not a number': ({ c }) => ({ c: { ...c, data: c.data.map(() => Number.NaN) } }),
  'other weights': ({ b }) => ({ b: { ...b, data: b.data.map((value) => value + 1) } }),
}

const expected: Readonly<Record<string, readonly [Verdict['status'], string | undefined]>> = {
  honest: ['pass', undefined],
  'all of a result': ['fail', 'value-out-of-tolerance'],
  'the last row': ['fail', 'value-out-of-tolerance'],
  'not a number': ['fail', 'value-not-finite'],
  'other weights': ['fail', 'activation-refused'],
}

describe.each([
  ['interactive', interactive()],
  ['spot', spot()],
] as const)('%s', (_, policy) => {
  test('sessions at the same time, honest and not, get the verdict that each deserves', async () => {
    const theirs: Verdict[] = []
    const verifier = createVerifier({ weights: modelWeights, policy })
    await using listener = await tcp().listen('tcp://127.0.0.1:0', async (channel) => {
      theirs.push(await verifier.accept(channel))
    })
    // Honest ones between all others.
    const names = Object.keys(cheats).flatMap((name) => [name, 'honest', name, 'honest'])
    const sessions = await Promise.all(
      names.map(async (name) => plainSession(await tcp().dial(listener.address), { cheat: cheats[name]! })),
    )
    for (let step = 0; step < 5; step++) await Promise.all(sessions.map((session) => session.step()))
    const verdicts = await Promise.all(sessions.map((session) => session.close()))

    expect(names.map((name, i) => [name, verdicts[i]!.status, verdicts[i]!.findings[0]?.reason])).toEqual(
      names.map((name) => [name, ...expected[name]!]),
    )
    const bySession = (a: Verdict, b: Verdict) => a.session.localeCompare(b.session)
    expect(theirs.sort(bySession)).toEqual(verdicts.sort(bySession))
    expect(new Set(verdicts.map(({ session }) => session)).size).toBe(names.length)
  })
})
