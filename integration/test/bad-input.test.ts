import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tcp } from '@tensor-assay/transport-tcp'
import { createVerifier, weights } from '@tensor-assay/verifier'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { audit } from '../support/audit.ts'
import { expectError } from '../support/expect-error.ts'
import { inputOf, layers } from '../support/model.ts'
import { bytesOf, plainLibrary } from '../support/plain-backend.ts'
import { type Service, service } from '../support/service.ts'

describe('addresses', () => {
  let auditor: Service

  beforeAll(async () => {
    auditor = await service()
  })

  afterAll(() => auditor[Symbol.asyncDispose]())

  /** An address of this machine on which nobody listens. */
  async function vacantAddress(): Promise<string> {
    const listener = await tcp().listen('tcp://127.0.0.1:0', () => {})
    await listener.close()
    return listener.address
  }

  test.each([
    ['one that is taken', 'address-unavailable', /EADDRINUSE/, () => tcp().listen(auditor.address, () => {})],
    [
      'one of another machine',
      'address-unavailable',
      /cannot listen on tcp:\/\/192\.0\.2\.1:9/,
      () => tcp().listen('tcp://192.0.2.1:9', () => {}),
    ],
    [
      'one that is none',
      'address-invalid',
      /http:\/\/127\.0\.0\.1/,
      () => tcp().listen('http://127.0.0.1:0', () => {}),
    ],
    ['one where nobody answers', 'peer-unreachable', /ECONNREFUSED/, async () => tcp().dial(await vacantAddress())],
    ['one that nobody knows', 'peer-unreachable', /nobody\.invalid/, () => tcp().dial('tcp://nobody.invalid:1')],
    ['a port that is none', 'address-invalid', /:0/, () => tcp().dial('tcp://127.0.0.1:0')],
  ] as const)('%s: %s', async (_, code, message, attempt) => {
    const verdicts = await auditor.undisturbed(() => expectError(attempt(), code, message))
    expect(verdicts.map(({ status }) => status)).toEqual(['pass', 'pass'])
  })
})

describe('weight files', () => {
  const [first, second] = layers
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tensor-assay-'))
  })

  afterAll(() => rm(folder, { recursive: true }))

  async function written(name: string, content: Uint8Array | string): Promise<string> {
    await writeFile(join(folder, name), content)
    return join(folder, name)
  }

  test.each([
    ['.npy', 'npy', () => npy(first)],
    ['.safetensors', 'safetensors', () => safetensors([first, second], 'F32')],
  ] as const)('a %s file that is cut short', async (_, extension, file) => {
    const whole = file()
    await expect(weights(await written(`whole.${extension}`, whole))).resolves.toMatchObject({ skipped: [] })
    const path = await written(`cut.${extension}`, whole.subarray(0, whole.length - 100))
    await expectError(weights(path), 'weights-truncated', new RegExp(`cut\\.${extension}.*${whole.length}`))
  })

  test('a shard of a model.json that is cut short', async () => {
    const bytes = bytesOf(first.data)
    const manifest = [{ paths: ['shard.bin'], weights: [{ name: first.name, shape: first.shape, dtype: 'float32' }] }]
    const model = await written('model.json', JSON.stringify({ format: 'graph-model', weightsManifest: manifest }))
    await written('shard.bin', bytes)
    await expect(weights(model)).resolves.toMatchObject({ weights: [{ name: 'first' }] })
    await written('shard.bin', bytes.subarray(0, 8))
    await expectError(weights(model), 'weights-truncated', /shard\.bin/)
  })

  test('a file that is not there', () =>
    expectError(weights(join(folder, 'none.npy')), 'weights-unreadable', /none\.npy/))

  test('an element type that cannot be held', async () => {
    await expectError(weights(await written('big.npy', npy(first, '>f4'))), 'dtype-unsupported', />f4/)
    await expectError(weights(await written('c.safetensors', safetensors([first], 'C64'))), 'dtype-unsupported', /C64/)
  })

  test('one element type for another, and a file without the weight: the verdict names the reason', async () => {
    const whole = await weights(await written('model.safetensors', safetensors([first, second], 'F32')))
    expect(await verdictWith(whole)).toMatchObject({ status: 'pass' })

    const partial = await weights(await written('second.safetensors', safetensors([second], 'F32')))
    const widened = { ...first, data: Float64Array.from(first.data) }
    const float64 = await weights(await written('wide.safetensors', safetensors([widened], 'F64')))
    for (const store of [partial, float64]) {
      const { status, findings } = await verdictWith(store)
      expect(status).toBe('fail')
      expect(findings[0]).toMatchObject({
        reason: 'activation-refused',
        message: expect.stringMatching(/B is not a weight that this verifier holds/),
      })
    }
  })

  async function verdictWith(store: Awaited<ReturnType<typeof weights>>) {
    const library = plainLibrary()
    const [rows, cols] = first.shape
    const run = () => library.matMul({ rows: 16, cols: 24, data: inputOf(0) }, { rows, cols, data: first.data })
    const verdicts = await audit({ verifier: createVerifier({ weights: store }), backend: library.backend, run })
    expect(verdicts.prover).toEqual(verdicts.verifier)
    return verdicts.verifier
  }
})

interface Tensor {
  readonly name: string
  readonly shape: readonly [number, number]
  readonly data: Float32Array | Float64Array
}

function npy({ shape, data }: Tensor, descr = '<f4'): Uint8Array {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(', ')}), }\n`
  const prefix = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0])
  return Buffer.concat([prefix, Buffer.from(header), new Uint8Array(data.buffer)])
}

function safetensors(tensors: readonly Tensor[], dtype: string): Uint8Array {
  let offset = 0
  const entries = tensors.map(({ name, shape, data }) => {
    const start = offset
    offset += data.byteLength
    return [name, { dtype, shape, data_offsets: [start, offset] }]
  })
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  return Buffer.concat([length, header, ...tensors.map(({ data }) => new Uint8Array(data.buffer))])
}
