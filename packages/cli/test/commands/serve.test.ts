import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { createIdentity, createProver } from '@tensor-assay/core'
import { identityFile } from '@tensor-assay/core/node'
import { tcp } from '@tensor-assay/transport-tcp'
import { ws } from '@tensor-assay/transport-ws'
import { generate } from 'selfsigned'
import { describe, expect, onTestFinished, test } from 'vitest'
import { runAssay, startServer } from '../support/cli.ts'
import { folderOfWeights, model, prove, weightFiles, writeManifest } from '../support/model.ts'

const weights = ['--weights', ...weightFiles]
const anywhere = ['--listen', 'tcp://127.0.0.1:0']
const words = (text: string) => text.replace(/\s+/g, ' ')

describe('with --once the exit code is the verdict of the one session', () => {
  test('0: an honest run passes, and nothing but the verdict goes to standard output', async () => {
    const server = await startServer([...weights, ...anywhere, '--once'], await folderOfWeights())
    const mine = await prove(server.address)
    const { code, stdout, stderr } = await server.ended
    expect([code, mine.status]).toEqual([0, 'pass'])
    expect(stdout).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+\nPASS {2}Everything that was declared/)
    expect(words(stdout)).toContain(`session ${mine.session}`)
    expect(stdout).not.toContain('\u001b')
    expect(stderr).toBe(
      `listening on ${server.address}\ninteractive audits against 2 weights; rows 4, rate 0.001, sha256\n`,
    )
  })

  test('1: a dishonest run fails', async () => {
    const server = await startServer([...weights, ...anywhere, '--once', '--brief'], await folderOfWeights())
    await prove(server.address, { cheat: true })
    const { code, stdout } = await server.ended
    expect(code).toBe(1)
    expect(stdout).toMatch(/\nFAIL {2}value-out-of-tolerance, operation 0 \(matMul\), and \d+ more\n {2}Row /)
  })

  test('2: a prover that leaves is incomplete', async () => {
    const server = await startServer([...weights, ...anywhere, '--once', '--brief'], await folderOfWeights())
    const channel = await tcp().dial(server.address)
    const { backend, run } = model()
    const prover = await createProver({ backend, channel })
    await prover.audit(run)
    channel.abort(new Error('gone'))
    const { code, stdout } = await server.ended
    expect(code).toBe(2)
    expect(stdout).toMatch(/\nINCOMPLETE {2}channel-lost/)
  })

  test('2: told to stop before anybody came', async () => {
    const server = await startServer([...weights, ...anywhere, '--once'], await folderOfWeights())
    server.process.kill('SIGINT')
    const { code, stdout } = await server.ended
    expect([code, stdout]).toEqual([2, ''])
  })

  test('nobody else is taken in', async () => {
    const server = await startServer([...weights, ...anywhere, '--once'], await folderOfWeights())
    const channel = await tcp().dial(server.address)
    const { backend, run } = model()
    const prover = await createProver({ backend, channel })
    await expect(prove(server.address)).rejects.toThrow()
    await prover.audit(run)
    expect((await prover.close()).status).toBe('pass')
    expect((await server.ended).code).toBe(0)
  })
})

test('sessions go on beside each other, each with a verdict as JSON and as a file', async () => {
  const folder = await folderOfWeights()
  const server = await startServer([...weights, ...anywhere, '--json', '--out', 'deep/verdicts'], folder)
  const mine = await Promise.all([prove(server.address), prove(server.address, { cheat: true }), prove(server.address)])
  await server.stdoutHas(/(.*\n){3}/)
  server.process.kill('SIGTERM')
  const { code, stdout } = await server.ended
  expect(code).toBe(0)
  const printed = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(printed.map(({ status }) => status).sort()).toEqual(['fail', 'pass', 'pass'])
  expect(new Set(printed.map(({ session }) => session))).toEqual(new Set(mine.map(({ session }) => session)))
  for (const verdict of printed) {
    const file = await readFile(join(folder, 'deep/verdicts', `${verdict.session}.json`), 'utf8')
    expect(JSON.parse(file)).toEqual(verdict)
  }
  expect(await readdir(join(folder, 'deep/verdicts'))).toHaveLength(3)
})

test('Ctrl-C ends the sessions with a verdict, and then the process', async () => {
  const server = await startServer([...weights, ...anywhere, '--brief'], await folderOfWeights())
  const { backend, run } = model()
  const prover = await createProver({ backend, channel: await tcp().dial(server.address) })
  await prover.audit(run)
  server.process.kill('SIGINT')
  const { code, stdout } = await server.ended
  expect(code).toBe(0)
  expect(stdout).toMatch(/\nINCOMPLETE {2}aborted/)
  expect((await prover.close()).status).toBe('incomplete')
  await expect(tcp().dial(server.address)).rejects.toMatchObject({ code: 'peer-unreachable' })
})

test('a peer that speaks something else is reported, and changes nothing', async () => {
  const server = await startServer([...weights, ...anywhere, '--once'], await folderOfWeights())
  const response = fetch(server.address.replace('tcp', 'http'))
  await expect(response).rejects.toThrow()
  await server.stderrHas(/^no session with tcp:\/\/127\.0\.0\.1:\d+: /m)
  expect((await prove(server.address)).status).toBe('pass')
  expect((await server.ended).code).toBe(0)
})

test('mode, sampling and suite are what was asked for', async () => {
  const options = ['--mode', 'spot', '--rows', '3', '--rate', '0.5', '--entries', '16', '--suite', 'blake3', '--once']
  const server = await startServer([...weights, ...anywhere, ...options, '--json'], await folderOfWeights())
  await prove(server.address)
  const { stdout, stderr } = await server.ended
  expect(stderr).toContain('spot audits against 2 weights; rows 3, rate 0.5, blake3\n')
  // Half of the 40 rows of each product and the last one, with 16 entries each.
  expect(JSON.parse(stdout)).toMatchObject({
    status: 'pass',
    mode: 'spot',
    claim: 'fault',
    statistics: { rows: 42, entries: 672, vectors: 0 },
  })
})

test('a B that no file has is refused, unless activations are accepted', async () => {
  const folder = await folderOfWeights()
  for (const [extra, code] of [
    [[], 1],
    [['--accept-activations'], 0],
  ] as const) {
    const server = await startServer(['--weights', 'second.npy', ...anywhere, '--once', ...extra], folder)
    await prove(server.address)
    expect((await server.ended).code).toBe(code)
  }
})

test('with a key and a manifest, verdicts are signed and hold against what must run', async () => {
  const folder = await folderOfWeights({ 'model.manifest': await writeManifest() })
  const auditor = await identityFile(join(folder, 'auditor.key'))
  const [alice, mallory] = [createIdentity(), createIdentity()]
  const options = ['--key', 'auditor.key', '--manifest', 'model.manifest', '--prover', alice.fingerprint]
  const server = await startServer([...weights, ...anywhere, ...options], folder)
  await server.stderrHas(new RegExp(`^identity ${auditor.fingerprint}$`, 'm'))
  await expect(prove(server.address, { identity: mallory })).rejects.toMatchObject({ code: 'peer-error' })
  const mine = await prove(server.address, { identity: alice, verifiers: [auditor.fingerprint] })
  expect(mine).toMatchObject({ status: 'pass', verifier: auditor.fingerprint, coverage: { manifestSteps: 1 } })
  await server.stdoutHas(/PASS[\s\S]*\n\n$/)
  server.process.kill('SIGINT')
  const { stdout } = await server.ended
  expect(stdout).toMatch(/FAIL[\s\S]*peer-untrusted[\s\S]*PASS/)
})

describe('every kind of address', () => {
  async function certificate() {
    const {
      private: key,
      cert,
      fingerprint,
    } = await generate([{ name: 'commonName', value: 'auditor' }], {
      algorithm: 'sha256',
      keyType: 'ec',
    })
    return { key, cert, fingerprint }
  }

  test('unix:', async () => {
    const folder = await folderOfWeights()
    const server = await startServer([...weights, '--listen', `unix:${join(folder, 'socket')}`, '--once'], folder)
    expect((await prove(server.address)).status).toBe('pass')
    expect((await server.ended).code).toBe(0)
  })

  test('ws:', async () => {
    const server = await startServer(
      [...weights, '--listen', 'ws://127.0.0.1:0/audit', '--once'],
      await folderOfWeights(),
    )
    expect((await prove(server.address, { transport: ws() })).status).toBe('pass')
    expect((await server.ended).code).toBe(0)
  })

  test.each(['tls', 'wss'])('%s:', async (scheme) => {
    const { key, cert } = await certificate()
    const folder = await folderOfWeights({ 'key.pem': key, 'cert.pem': cert })
    const files = ['--tls-cert', 'cert.pem', '--tls-key', 'key.pem']
    const server = await startServer([...weights, '--listen', `${scheme}://127.0.0.1:0`, ...files, '--once'], folder)
    const tls = { rejectUnauthorized: false }
    const transport = scheme === 'tls' ? tcp({ tls }) : ws({ tls })
    expect((await prove(server.address, { transport })).status).toBe('pass')
    expect((await server.ended).code).toBe(0)
  })

  test('one that others can read is named', async () => {
    const server = await startServer([...weights, '--listen', 'tcp://0.0.0.0:0'], await folderOfWeights())
    await server.stderrHas(/anybody on the way can read and change what is said here; tls:\/\/ and wss:\/\/ prevent it/)
    server.process.kill('SIGINT')
    await server.ended
  })
})

describe('one line says what was wrong, and the exit code is 3', () => {
  test('the port is taken', async () => {
    const other = createServer((socket: Socket) => socket.destroy()).listen(0, '127.0.0.1')
    onTestFinished(() => void other.close())
    await once(other, 'listening')
    const address = `tcp://127.0.0.1:${(other.address() as { port: number }).port}`
    const { code, stdout, stderr } = await runAssay(['serve', ...weights, '--listen', address], await folderOfWeights())
    expect([code, stdout]).toEqual([3, ''])
    expect(stderr).toMatch(/^assay serve: cannot listen on tcp:.*EADDRINUSE.*; choose another address, port 0 .*\n$/)
  })

  test.each([
    [
      ['--listen', 'http://127.0.0.1:1'],
      /^assay serve: expected an address such as tcp:.*, got 'http:\/\/127\.0\.0\.1:1'/,
    ],
    [['--listen', 'tcp://127.0.0.1'], /^assay serve: "tcp:\/\/127\.0\.0\.1" is not an address of this transport/],
    [['--listen', 'ws://127.0.0.1:0', '--tls-cert', 'a'], /^assay serve: --tls-cert and --tls-key belong together/],
    [['--listen', 'tls://127.0.0.1:0'], /^assay serve: tls:.* needs a certificate: --tls-cert FILE --tls-key FILE/],
    [
      ['--listen', 'tls://127.0.0.1:0', '--tls-cert', 'notes.txt', '--tls-key', 'notes.txt'],
      /^assay serve: the tls options key, cert and ca cannot be used/,
    ],
    [
      [...anywhere, '--tls-cert', 'notes.txt', '--tls-key', 'notes.txt'],
      /^assay serve: a certificate is for tls:\/\/ and wss:\/\/, got tcp:/,
    ],
    [[...anywhere, '--mode', 'receipt'], /^assay serve: --mode must be interactive or spot, got 'receipt'/],
    [[...anywhere, '--rows', '0'], /^assay serve: --rows must be a whole number from 1/],
    [[...anywhere, '--vectors', '0', '--entries', '0'], /^assay serve: vectors and entries are both 0/],
    [
      [...anywhere, '--key', 'none.key'],
      /^assay serve: there is no key file none.key; assay identity none.key makes one/,
    ],
    [[...anywhere, '--out', 'notes.txt'], /^assay serve: --out must be a folder, notes.txt cannot be one/],
    [[...anywhere, '--prover', 'alice'], /^assay serve: --prover must be a fingerprint as assay identity prints it/],
  ])('%j', async (args, message) => {
    const folder = await folderOfWeights({ 'notes.txt': 'not what it takes' })
    const { code, stdout, stderr } = await runAssay(['serve', ...weights, ...args], folder)
    expect([code, stdout]).toEqual([3, ''])
    expect(stderr).toMatch(message)
    expect(stderr.split('\n')).toHaveLength(2)
  })
})
