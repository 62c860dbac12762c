import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createIdentity } from '@tensor-assay/core'
import { expect, test } from 'vitest'
import { copyOfLibrary, programOf, verifierOf } from './support/registered.ts'

const twoRuns = `
  for (let run = 0; run < 2; run++) console.log(...(await session.run(input)).y.data)
  process.on('beforeExit', () => console.log('the end'))
  process.exitCode = 7
`
const nobody = 'tcp://127.0.0.1:9'

test.each(['tcp', 'ws'] as const)('over %s, a program prints what it printed, and all is audited', async (scheme) => {
  const program = programOf(twoRuns)
  const plain = await program.plain().ended
  expect(plain).toMatchObject({ code: 7, stderr: '' })
  expect(plain.stdout.match(/the end/g)).toHaveLength(1)
  const { address, verdict } = await verifierOf(program.model, {}, scheme)
  const { stderr, ...audited } = await program.registered({ ASSAY_VERIFIER: address }).ended
  expect(audited).toEqual({ code: plain.code, stdout: plain.stdout })
  expect(stderr).toBe('tensor-assay: verdict pass, 6 of 6 products audited\n')
  expect(await verdict).toMatchObject({ status: 'pass', coverage: { operations: 6, audited: 6, opaque: 0 } })
})

test('the verdict is written to a file, and both sides are who they should be', async () => {
  const program = programOf(twoRuns)
  const identity = createIdentity(new Uint8Array(32).fill(7))
  const { address, verdict } = await verifierOf(program.model, { identity })
  const { stderr } = await program.registered({
    ASSAY_VERIFIER: address,
    ASSAY_VERIFIERS: `${createIdentity(new Uint8Array(32).fill(8)).fingerprint}, ${identity.fingerprint}`,
    ASSAY_IDENTITY: 'prover.key',
    ASSAY_VERDICT: 'verdict.json',
    ASSAY_REQUIRED: '1',
  }).ended
  expect(stderr).toMatch(/verdict pass/)
  const written = JSON.parse(readFileSync(join(program.folder, 'verdict.json'), 'utf8'))
  expect(written).toEqual(await verdict)
  expect(written.verifier).toBe(identity.fingerprint)
  expect(written.prover).toMatch(/./)
  expect(readFileSync(join(program.folder, 'prover.key'), 'utf8')).toMatch(/^tensor-assay/)
})

test('weights that are not the public ones do not pass', async () => {
  const program = programOf(twoRuns)
  const { address, verdict } = await verifierOf(program.model)
  const model = readFileSync(program.model)
  // A bit in the middle of the file, among the weights.
  model[model.length >> 1]! ^= 1
  writeFileSync(program.model, model)
  const { code, stderr } = await program.registered({ ASSAY_VERIFIER: address }).ended
  expect((await verdict).status).toBe('fail')
  expect(code).toBe(7)
  expect(stderr).toMatch(/^tensor-assay: verdict fail, .* activation-refused, .*\n$/)
})

test.each([
  ['nobody answers', { ASSAY_VERIFIER: nobody }, /nobody answers on tcp:/],
  ['there is no address', { ASSAY_VERIFIER: '' }, /ASSAY_VERIFIER is not set/],
  ['the address is not one', { ASSAY_VERIFIER: 'carrier pigeon' }, /starts with one of tcp, .* got 'carrier pigeon'/],
  ['no verifier can be the right one', { ASSAY_VERIFIER: nobody, ASSAY_VERIFIERS: '' }, /fingerprint|nobody/],
])('where %s the program runs with a warning, or not at all', async (_, environment, message) => {
  const program = programOf(twoRuns)
  const plain = await program.plain().ended
  const { stderr, ...rest } = await program.registered(environment).ended
  expect(rest).toEqual({ code: plain.code, stdout: plain.stdout })
  expect(stderr).toMatch(/^tensor-assay: runs unaudited: .*\n$/)
  expect(stderr).toMatch(message)
  const required = await program.registered({ ...environment, ASSAY_REQUIRED: '1' }).ended
  expect(required).toMatchObject({ code: 1, stdout: '' })
  expect(required.stderr).toMatch(/^tensor-assay: not started: .*\n$/)
})

test('whoever misspells that the audit is required gets no program without one', async () => {
  const { stderr, ...rest } = await programOf(twoRuns).registered({ ASSAY_REQUIRED: 'yes' }).ended
  expect(rest).toEqual({ code: 1, stdout: '' })
  expect(stderr).toContain('ASSAY_REQUIRED must be 1 or 0, got "yes"')
})

test('another verifier than the pinned one is not talked to', async () => {
  const program = programOf(twoRuns)
  const { address } = await verifierOf(program.model, { identity: createIdentity(new Uint8Array(32).fill(7)) })
  const { fingerprint } = createIdentity(new Uint8Array(32).fill(8))
  const environment = { ASSAY_VERIFIER: address, ASSAY_VERIFIERS: fingerprint, ASSAY_REQUIRED: '1' }
  expect(await program.registered(environment).ended).toMatchObject({ code: 1, stdout: '' })
})

test('a verifier that vanishes in the middle changes nothing but the verdict', async () => {
  const program = programOf(`
    console.log(...(await session.run(input)).y.data)
    if (process.send && process.env.ASSAY_VERIFIER) {
      process.send('halfway')
      await new Promise((resolve) => process.once('message', resolve))
    }
    process.disconnect?.()
    console.log(...(await session.run(input)).y.data)
  `)
  const plain = await program.plain().ended
  const { address, vanish, verdict } = await verifierOf(program.model)
  const { process: child, ended } = program.registered({ ASSAY_VERIFIER: address, ASSAY_VERDICT: 'verdict.json' })
  child.once('message', async () => {
    vanish()
    await verdict
    child.send('go on')
  })
  const { stderr, ...rest } = await ended
  expect(rest).toEqual({ code: 0, stdout: plain.stdout })
  expect(stderr).toMatch(/^tensor-assay: verdict incomplete, .*channel-lost.*\n$/)
  expect(JSON.parse(readFileSync(join(program.folder, 'verdict.json'), 'utf8')).status).toBe('incomplete')
})

test('a program that ends itself has no verdict, and says so', async () => {
  const program = programOf(`await session.run(input); console.log('done'); process.exit(3)`)
  const { address, verdict } = await verifierOf(program.model)
  const { stderr, ...rest } = await program.registered({ ASSAY_VERIFIER: address }).ended
  expect(rest).toEqual({ code: 3, stdout: 'done\n' })
  expect(stderr).toMatch(/^tensor-assay: verdict incomplete, .* ended before the session could be closed\n$/)
  expect((await verdict).status).toBe('incomplete')
})

test('a transport that is not installed is named', async () => {
  const hook = `export async function resolve(name, context, next) {
    if (name !== '@tensor-assay/transport-ws') return next(name, context)
    throw Object.assign(new Error("Cannot find package '" + name + "'"), { code: 'ERR_MODULE_NOT_FOUND' })
  }`
  const url = (source: string) => `data:text/javascript,${encodeURIComponent(source)}`
  const withoutWs = url(`import { register } from 'node:module'; register(${JSON.stringify(url(hook))})`)
  const environment = { ASSAY_VERIFIER: 'ws://127.0.0.1:9/audit', ASSAY_REQUIRED: '1' }
  const { code, stderr } = await programOf(twoRuns).registered(environment, '--import', withoutWs).ended
  expect(code).toBe(1)
  expect(stderr).toContain('ws: needs @tensor-assay/transport-ws, which is not installed')
})

test('a library that brings another copy of onnxruntime-node is audited with the program', async () => {
  const program = programOf(`
    import { y } from '@huggingface/transformers'
    console.log((await y(ort)).join(), (await session.run(input)).y.data.join())
  `)
  const home = join(program.folder, 'node_modules/@huggingface/transformers')
  const copy = join(home, 'node_modules/onnxruntime-node')
  copyOfLibrary(copy)
  writeFileSync(join(home, 'package.json'), JSON.stringify({ name: '@huggingface/transformers', main: 'index.js' }))
  writeFileSync(
    join(home, 'index.js'),
    `
      const ort = require('onnxruntime-node')
      exports.y = async (other) => {
        if (ort.InferenceSession === other.InferenceSession) throw new Error('it is the same copy')
        const session = await ort.InferenceSession.create('model.onnx')
        const x = new ort.Tensor('float32', Float32Array.from({ length: 24 }, (_, i) => Math.cos(i)), [1, 24])
        return (await session.run({ x })).y.data
      }
    `,
  )
  const plain = await program.plain().ended
  expect(plain).toMatchObject({ code: 0, stderr: '' })
  const { address, verdict } = await verifierOf(program.model)
  const { stderr, ...audited } = await program.registered({ ASSAY_VERIFIER: address }).ended
  expect(audited).toEqual({ code: plain.code, stdout: plain.stdout })
  expect(stderr).toBe('tensor-assay: verdict pass, 6 of 6 products audited\n')
  expect((await verdict).status).toBe('pass')
})
