import type { MessageType, Verdict } from '@tensor-assay/core'
import { tcp } from '@tensor-assay/transport-tcp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Child } from '../support/child.ts'
import { plainSession } from '../support/plain-session.ts'
import type { Passage } from '../support/watched-channel.ts'

interface FromVerifier {
  readonly address: string
  readonly held: true
  readonly verdict: Verdict
}

interface FromProver {
  readonly held: true
  readonly result: {
    /** Hash of everything that the model gave. */
    readonly outputs: string
    readonly verdict?: Verdict
    /** Code of the error with which the session did not open. */
    readonly refusal?: string
  }
}

type Moment = readonly [name: string, passage: Passage, type: MessageType]

const startVerifier = (...hold: string[]) => new Child<FromVerifier>('./verifier-process.ts', ...hold)
const startProver = (...options: string[]) => new Child<FromProver>('./prover-process.ts', ...options)
const quietly = { code: 0, stderr: '' }

describe('a verifier that is killed leaves the run as it is', () => {
  let unaudited = ''

  beforeAll(async () => {
    await using prover = startProver()
    unaudited = (await prover.next('result')).outputs
    expect(await prover.end()).toEqual(quietly)
  })

  test('before it answered the hello', async () => {
    await using verifier = startVerifier('received', 'hello')
    await using prover = startProver(await verifier.next('address'))
    await verifier.next('held')
    await verifier.kill()
    expect(await prover.next('result')).toEqual({ outputs: unaudited, refusal: 'channel-lost' })
    expect(await prover.end()).toEqual(quietly)
  })

  test.each<Moment>([
    ['once the session is open', 'received', 'open'],
    ['after the first commitment', 'received', 'commit'],
    ['during a challenge', 'received', 'opening'],
    ['before it heard of the close', 'received', 'close'],
    ['between its key and its verdict', 'sending', 'verdict'],
  ])('%s', async (_, passage, type) => {
    await using verifier = startVerifier(passage, type)
    const isAtEnd = type === 'close' || type === 'verdict'
    await using prover = startProver(await verifier.next('address'), ...(isAtEnd ? [] : ['step']))
    await verifier.next('held')
    if (!isAtEnd) await prover.next('held')
    await verifier.kill()
    if (!isAtEnd) prover.process.send('go on')
    const { outputs, verdict } = await prover.next('result')
    expect(outputs).toBe(unaudited)
    expect(verdict).toMatchObject({ status: 'incomplete', findings: [{ reason: 'channel-lost' }] })
    expect(await prover.end()).toEqual(quietly)
  })
})

describe('a verifier that hangs', () => {
  test('before it answered the hello', async () => {
    await using verifier = startVerifier('received', 'hello')
    await using prover = startProver(await verifier.next('address'), '', '', '1000')
    expect((await prover.next('result')).refusal).toBe('deadline-exceeded')
    expect(await prover.end()).toEqual(quietly)
  })

  test('during a challenge', async () => {
    await using verifier = startVerifier('received', 'opening')
    await using prover = startProver(await verifier.next('address'), '', '', '1000')
    const { verdict } = await prover.next('result')
    expect(verdict).toMatchObject({ status: 'incomplete', findings: [{ reason: 'deadline-exceeded' }] })
    expect(await prover.end()).toEqual(quietly)
  })
})

describe('a prover that is killed leaves the verifier with an incomplete verdict and in service', () => {
  let verifier: Child<FromVerifier>
  let address: string

  beforeAll(async () => {
    verifier = startVerifier()
    address = await verifier.next('address')
  })

  afterAll(async () => {
    verifier.process.disconnect()
    expect(await verifier.end()).toEqual(quietly)
  })

  test.each<Moment>([
    ['after its hello', 'sent', 'hello'],
    ['once the session is open', 'sent', 'open'],
    ['after the first commitment', 'sent', 'commit'],
    ['when it is challenged', 'received', 'challenge'],
    ['after the first opening', 'sent', 'opening'],
    ['before its close', 'sending', 'close'],
  ])('%s', async (_, passage, type) => {
    await using prover = startProver(address, passage, type)
    await prover.next('held')
    await prover.kill()
    const { status, findings } = await verifier.next('verdict')
    expect([status, findings[0]?.reason]).toEqual(['incomplete', 'channel-lost'])

    const session = await plainSession(await tcp().dial(address))
    await session.step()
    const honest = await session.close()
    expect(honest.status).toBe('pass')
    expect(await verifier.next('verdict')).toEqual(honest)
  })
})
