import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import {
  type AssayErrorCode,
  type Control,
  createProver,
  decodeMessage,
  encodeMessage,
  type Manifest,
  type Mode,
  manifestDigest,
  rows,
} from '@tensor-assay/core'
import { tcp } from '@tensor-assay/transport-tcp'
import { interactive, type Policy } from '@tensor-assay/verifier'
import { describe, expect, onTestFinished, test } from 'vitest'
import { expectError } from '../support/expect-error.ts'
import { plainLibrary } from '../support/plain-backend.ts'
import { plainSession } from '../support/plain-session.ts'
import { service } from '../support/service.ts'

const hello: Control<'hello'> = {
  versions: [1],
  suites: ['sha256'],
  modes: ['interactive'],
  samplers: ['rows'],
  nonce: new Uint8Array(32),
  backend: 'by hand',
}

const policy: Control<'policy'> = {
  version: 1,
  mode: 'interactive',
  suite: 'sha256',
  sampler: { name: 'rows', parameters: {} },
  nonce: new Uint8Array(32),
  keyCommitment: new Uint8Array(32),
  window: 1,
  weights: new Uint8Array(0),
}

/** A message as a peer of another version would head it. */
function ofAnotherVersion(message: Uint8Array[]): Uint8Array[] {
  const [head, ...rest] = message
  const other = head!.slice()
  other[4] = 2
  return [other, ...rest]
}

const garbage = [Buffer.from('GET / HTTP/1.1')]
/** Preamble of the transport, then the header of a message of 4 GiB. */
const flood = Buffer.from('54415354435001000000000100000000' + '00000000ffffffff', 'hex')

describe('a verifier tells a prover what is wrong, says so in its verdict, and serves the others', () => {
  test.each<[string, AssayErrorCode, Uint8Array[], RegExp]>([
    [
      'of another version',
      'version-unsupported',
      encodeMessage('hello', { ...hello, versions: [2, 3] }),
      /offers 2, 3/,
    ],
    [
      'whose frames are of another version',
      'version-unsupported',
      ofAnotherVersion(encodeMessage('hello', hello)),
      /2/,
    ],
    ['of an unknown mode', 'mode-unknown', encodeMessage('hello', { ...hello, modes: ['telepathy'] }), /telepathy/],
    ['of an unknown suite', 'suite-unknown', encodeMessage('hello', { ...hello, suites: ['md5'] }), /md5/],
    ['of an unknown sampler', 'sampler-unknown', encodeMessage('hello', { ...hello, samplers: ['hunch'] }), /hunch/],
    ['that does not say hello', 'message-unexpected', encodeMessage('open', { session: new Uint8Array(32) }), /hello/],
    ['that sends something else', 'frame-malformed', garbage, /magic/],
  ])('%s: %s', async (_, code, message, text) => {
    await using auditor = await service()
    const verdicts = await auditor.undisturbed(async () => {
      const channel = await tcp().dial(auditor.address)
      await channel.send(message)
      const answers = []
      for await (const bytes of channel) answers.push(decodeMessage(bytes))
      expect(answers[0]).toMatchObject({ type: 'error', control: { code, message: expect.stringMatching(text) } })
      await channel.close()
    })
    expect(verdicts.map(({ status }) => status)).toEqual(['pass', 'pass'])
    const [bad] = auditor.verdicts
    expect(bad!.status).not.toBe('pass')
    expect(bad!.findings[0]!.message).toContain(code)
  })

  test('whose frame is over the limit', async () => {
    await using auditor = await service()
    const verdicts = await auditor.undisturbed(async () => {
      const { hostname, port } = new URL(auditor.address)
      const socket = connect(Number(port), hostname)
      socket.write(flood)
      socket.resume()
      await once(socket, 'close')
    })
    expect(verdicts.map(({ status }) => status)).toEqual(['pass', 'pass'])
    const [bad] = auditor.verdicts
    expect(bad!.status).not.toBe('pass')
    expect(bad!.findings[0]!.message).toMatch(/message-too-large: .*4294967295 bytes/)
  })

  test('of another version of the transport', async () => {
    await using auditor = await service()
    const verdicts = await auditor.undisturbed(async () => {
      const { hostname, port } = new URL(auditor.address)
      const socket = connect(Number(port), hostname)
      socket.write(Buffer.from('54415354435002000000000100000000', 'hex'))
      socket.resume()
      await once(socket, 'close')
    })
    expect(verdicts.map(({ status }) => status)).toEqual(['pass', 'pass'])
    expect(auditor.verdicts).toHaveLength(2)
    expect(auditor.errors).toMatchObject([{ code: 'version-unsupported' }])
  })
})

describe('a prover says why it cannot open a session, and is ready for the next', () => {
  const otherPolicy = (change: Partial<Control<'policy'>>) => encodeMessage('policy', { ...policy, ...change })
  const manifest: Manifest = { format: 'tensor-assay-manifest', version: 1, operations: [] }
  const json = Buffer.from(JSON.stringify(manifest))
  const named = { ...policy, manifest: Buffer.from(manifestDigest(manifest), 'hex') }

  test.each<[string, AssayErrorCode, Uint8Array[], RegExp]>([
    ['of another version', 'version-unsupported', otherPolicy({ version: 2 }), /protocol 2/],
    ['whose frames are of another version', 'version-unsupported', ofAnotherVersion(otherPolicy({})), /2/],
    ['of an unknown mode', 'mode-unknown', otherPolicy({ mode: 'telepathy' }), /telepathy/],
    ['of an unknown suite', 'suite-unknown', otherPolicy({ suite: 'md5' }), /md5/],
    ['of an unknown sampler', 'sampler-unknown', otherPolicy({ sampler: { name: 'hunch', parameters: {} } }), /hunch/],
    [
      'of a sampler with other parameters',
      'message-malformed',
      otherPolicy({ sampler: { name: 'rows', parameters: { atMost: 3 } } }),
      /atMost/,
    ],
    ['of a manifest that is none', 'manifest-malformed', encodeMessage('policy', named, [Buffer.from('{')]), /JSON/],
    ['of a manifest without a name', 'message-malformed', encodeMessage('policy', policy, [json]), /names another one/],
    [
      'of another manifest than it names',
      'message-malformed',
      encodeMessage('policy', { ...named, manifest: new Uint8Array(32) }, [json]),
      /names another one/,
    ],
    [
      'of two manifests',
      'message-malformed',
      encodeMessage('policy', named, [json, json]),
      /one manifest at most, got 2/,
    ],
    [
      'that gives up',
      'peer-error',
      encodeMessage('error', { code: 'weights-unreadable', message: 'no disk' }),
      /no disk/,
    ],
    ['that reveals at once', 'message-unexpected', encodeMessage('reveal', { key: new Uint8Array(32) }), /reveal/],
    ['that sends something else', 'frame-malformed', garbage, /magic/],
  ])('a verifier %s: %s', async (_, code, answer, text) => {
    await using listener = await tcp().listen('tcp://127.0.0.1:0', async (channel) => {
      for await (const _hello of channel) {
        await channel.send(answer)
        break
      }
    })
    await expectOpenFails(listener.address, code, text)
  })

  test('a verifier that says nothing: deadline-exceeded', async () => {
    await using listener = await tcp().listen('tcp://127.0.0.1:0', () => {})
    await expectOpenFails(listener.address, 'deadline-exceeded', /100 ms/, { handshakeTimeoutMs: 100 })
  })

  test('a verifier that hangs up: channel-lost', async () => {
    await using listener = await tcp().listen('tcp://127.0.0.1:0', (channel) => channel.close())
    await expectOpenFails(listener.address, 'channel-lost', /policy/)
  })

  test('a verifier whose frame is over the limit: message-too-large', async () => {
    await expectOpenFails(await rawVerifier(flood), 'message-too-large', /4294967295/)
  })

  test('a verifier of another version of the transport: version-unsupported', async () => {
    const address = await rawVerifier(Buffer.from('54415354435002000000000100000000', 'hex'))
    await expectError(tcp().dial(address), 'version-unsupported', /version 2/)
  })

  test.each<[string, AssayErrorCode, Policy]>([
    ['mode', 'mode-unknown', { ...interactive(), mode: 'telepathy' as Mode }],
    ['sampler', 'sampler-unknown', interactive({ sampler: { ...rows(), name: 'hunch' } })],
  ])('a verifier whose own policy asks for an unknown %s', async (_, code, unknown) => {
    await using auditor = await service(unknown)
    await expectOpenFails(auditor.address, 'peer-error', new RegExp(code))
  })

  async function expectOpenFails(
    address: string,
    code: AssayErrorCode,
    text: RegExp,
    options: { handshakeTimeoutMs?: number } = {},
  ): Promise<void> {
    const channel = await tcp().dial(address)
    await expectError(createProver({ ...options, backend: plainLibrary().backend, channel }), code, text)
    await using auditor = await service()
    const session = await plainSession(await tcp().dial(auditor.address))
    await session.step()
    expect((await session.close()).status).toBe('pass')
  }

  async function rawVerifier(bytes: Uint8Array): Promise<string> {
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.resume()
      socket.write(bytes)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
})

test('a message of this side that is over the limit of the other ends the session and nothing else', async () => {
  // Takes the hello and the commitments, and no opening.
  await using auditor = await service(interactive({ sampler: rows({ rate: 1 }) }), { maxMessageBytes: 1024 })
  const session = await plainSession(await tcp().dial(auditor.address))
  const first = await session.step()
  const second = await session.step()
  const mine = await session.close()
  expect(first.data).toHaveLength(16 * 8)
  expect(second.data).toHaveLength(16 * 8)
  expect(mine.status).toBe('incomplete')
  expect(mine.findings[0]!.message).toMatch(/exceeds the 1024/)
})
