import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { onnx } from '@tensor-assay/backend-onnx'
import { createProver, manifestDigest, parseManifest, type Verdict } from '@tensor-assay/core'
import { tcp } from '@tensor-assay/transport-tcp'
import type * as OnnxRuntime from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import { runAssay, startServer } from '../support/cli.ts'
import { folderOfWeights } from '../support/model.ts'
import { folderOfLibraries, onnxModel } from '../support/onnx.ts'

const ort = createRequire(import.meta.url)('onnxruntime-node') as typeof OnnxRuntime
const backend = onnx(ort)

/** Runs a model under audit on an input of `batch` rows. */
async function prove(address: string, file: Uint8Array, batch: number): Promise<Verdict> {
  const session = await ort.InferenceSession.create(file)
  const prover = await createProver({ backend, channel: await tcp().dial(address) })
  const x = Float32Array.from({ length: 12 * batch }, (_, i) => Math.cos(i))
  await prover.audit(() => session.run({ x: new ort.Tensor('float32', x, [batch, 12]) }))
  const verdict = await prover.close()
  await session.release()
  return verdict
}

describe('assay manifest MODEL.onnx', () => {
  test('writes a manifest that honest runs of other sizes keep and another model does not', async () => {
    const folder = await folderOfLibraries({ 'model.onnx': onnxModel() })
    const args = ['manifest', 'model.onnx', '--out', 'model.manifest', '--dim', 'batch=1,5']
    const { code, stdout, stderr } = await runAssay(args, folder)
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(/^wrote model\.manifest: 2 runs by ONNX Runtime 1\.\S+\n$/),
    ])
    const manifest = parseManifest(await readFile(join(folder, 'model.manifest'), 'utf8'))
    expect(stdout).toMatch(/^model\.manifest: 2 operations to a step, 3 weights\ndigest /)
    expect(stdout).toContain(manifestDigest(manifest))
    expect(stdout).toContain('products 2, of which 0 of two activations; opaque 0; links 1; relations 0')
    expect(stdout).toMatch(/1 {2}MatMul two .*20×8, A = C of 0, B = second/)

    const serve = ['--weights', 'model.onnx', '--manifest', 'model.manifest', '--listen', 'tcp://127.0.0.1:0', '--once']
    const honest = await startServer(serve, folder)
    expect((await prove(honest.address, onnxModel(), 9)).status).toBe('pass')
    expect((await honest.ended).code).toBe(0)
    const dishonest = await startServer(serve, folder)
    const verdict = await prove(dishonest.address, onnxModel({ shift: 1e-3 }), 9)
    expect(verdict.status).toBe('fail')
    expect((await dishonest.ended).code).toBe(1)
  })

  test('says what a tensor between products follows from, and holds runs to it', async () => {
    const graph = (opType: string) =>
      onnxModel({
        nodes: [
          { name: 'one', opType: 'MatMul', inputs: ['x', 'first'], outputs: ['h'] },
          { name: 'between', opType, inputs: ['h'], outputs: ['s'] },
          { name: 'two', opType: 'MatMul', inputs: ['s', 'second'], outputs: ['y'] },
        ],
      })
    const folder = await folderOfLibraries({ 'model.onnx': graph('Softmax') })
    const { stdout } = await runAssay(['manifest', 'model.onnx', '--out', 'm', '--dim', 'batch=1,5'], folder)
    expect(stdout).toContain('links 0; relations 1')
    expect(stdout).toMatch(/1 {2}MatMul two .*, A = what follows from 0, B = second/)
    const serve = ['--weights', 'model.onnx', '--manifest', 'm', '--listen', 'tcp://127.0.0.1:0', '--once']
    for (const [opType, status] of [
      ['Softmax', 'pass'],
      ['Sigmoid', 'fail'],
    ] as const) {
      const server = await startServer(serve, folder)
      const { findings, ...verdict } = await prove(server.address, graph(opType), 9)
      expect(verdict.status).toBe(status)
      expect(findings.map(({ reason }) => reason)).toEqual(status === 'pass' ? [] : ['relation-broken'])
      await server.ended
    }
  })

  test('leaves free what depends on the values of an input, though every size is set', async () => {
    const model = onnxModel({
      dims: [3, 12],
      nodes: [
        { name: 'q', opType: 'DynamicQuantizeLinear', inputs: ['x'], outputs: ['xq', 'xs', 'xz'] },
        { name: 'w', opType: 'DynamicQuantizeLinear', inputs: ['first'], outputs: ['wq', 'ws', 'wz'] },
        { name: 'p', opType: 'MatMulInteger', inputs: ['xq', 'wq', 'xz', 'wz'], outputs: ['y'] },
      ],
    })
    const folder = await folderOfLibraries({ 'model.onnx': model })
    const { code, stderr } = await runAssay(['manifest', 'model.onnx', '--out', 'm', '--range', 'x=-2..7'], folder)
    expect([code, stderr]).toEqual([0, expect.stringContaining('wrote m: 2 runs')])
    const [product] = parseManifest(await readFile(join(folder, 'm'), 'utf8')).operations
    expect(product).toMatchObject({ operation: 'MatMulInteger', zeroPoints: { a: null } })
  })

  test.each([
    [[], 'Gemm'],
    [['--optimization', 'disabled'], 'MatMul'],
    [['--disable-optimizer', 'MatMulAddFusion'], 'MatMul'],
  ])('with %j records what the prover with the same options executes', async (args, operation) => {
    const model = onnxModel({
      nodes: [
        { name: 'p', opType: 'MatMul', inputs: ['x', 'first'], outputs: ['h'] },
        { name: 'a', opType: 'Add', inputs: ['h', 'bias'], outputs: ['y'] },
      ],
    })
    const folder = await folderOfLibraries({ 'model.onnx': model })
    const { code } = await runAssay(['manifest', 'model.onnx', '--out', 'm', '--dim', 'batch=1,2', ...args], folder)
    expect(code).toBe(0)
    const { operations } = parseManifest(await readFile(join(folder, 'm'), 'utf8'))
    expect(operations).toMatchObject([{ operation }])
  })

  test('says why operations are opaque; --json counts them', async () => {
    const model = onnxModel({
      inputs: [{ name: 'x', type: 'float32', dims: ['time', 1, 12] }],
      nodes: [
        { name: 'flat', opType: 'Flatten', inputs: ['x'], outputs: ['f'], attributes: { axis: 2n } },
        { name: 'p', opType: 'MatMul', inputs: ['f', 'first'], outputs: ['h'] },
        {
          name: 'e',
          opType: 'Einsum',
          inputs: ['h', 'h', 'h'],
          outputs: ['y'],
          attributes: { equation: 'ij,ij,ik->k' },
        },
      ],
    })
    const folder = await folderOfLibraries({ 'model.ONNX': model })
    const args = ['manifest', 'model.ONNX', '--out', 'm', '--dim', 'time=2,3', '--json']
    const { code, stdout, stderr } = await runAssay(args, folder)
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ operations: 2, opaque: 1, ofActivations: 0, links: 0 })
    expect(stderr).toMatch(/Einsum is opaque, never checked: /)
  })

  test('makes inputs of every type that it names', async () => {
    const types = [
      'float16',
      'float64',
      'int8',
      'uint8',
      'int16',
      'uint16',
      'int32',
      'uint32',
      'int64',
      'uint64',
      'bool',
    ] as const
    const casts = types.map((type) => ({
      name: `cast ${type}`,
      opType: 'Cast',
      inputs: [type],
      outputs: [`${type} as float`],
      attributes: { to: 1n },
    }))
    const inputs = types.map((type) => ({ name: type, type, dims: ['batch', 12] }))
    const sum = { name: 'sum', opType: 'Sum', inputs: types.map((type) => `${type} as float`), outputs: ['s'] }
    const product = { name: 'p', opType: 'MatMul', inputs: ['s', 'first'], outputs: ['y'] }
    const folder = await folderOfLibraries({ 'm.onnx': onnxModel({ inputs, nodes: [...casts, sum, product] }) })
    const ranges = ['float64=0..9', 'int64=-5..5', 'uint8=0..255'].flatMap((range) => ['--range', range])
    const { code, stderr } = await runAssay(['manifest', 'm.onnx', '--out', 'm', '--dim', 'batch=2', ...ranges], folder)
    expect([code, stderr]).toEqual([0, expect.stringContaining('wrote m')])
  })

  const gather = onnxModel({
    inputs: [{ name: 'ids', type: 'int64', dims: [4] }],
    nodes: [
      { name: 'g', opType: 'Gather', inputs: ['first', 'ids'], outputs: ['h'] },
      { name: 'p', opType: 'MatMul', inputs: ['h', 'second'], outputs: ['y'] },
    ],
  })
  const files = {
    'model.onnx': onnxModel(),
    'open.onnx': onnxModel({ dims: ['', 12] }),
    'gather.onnx': gather,
    'text.onnx': onnxModel({
      inputs: [{ name: 'words', type: 'string', dims: [1] }],
      nodes: [{ name: 'i', opType: 'Identity', inputs: ['words'], outputs: ['y'] }],
    }),
    'nothing.onnx': onnxModel({ dims: [2, 12], nodes: [{ name: 'r', opType: 'Relu', inputs: ['x'], outputs: ['y'] }] }),
    'broken.onnx': 'not a model',
    'taken.json': '{}',
  }
  test.each([
    [['model.onnx'], /expected --out FILE: where the manifest of the model goes/],
    [['model.onnx', '--out', 'taken.json'], /taken\.json is there already; remove it or give another name to --out/],
    [['model.onnx', '--out', 'm'], /leaves the size of batch open; choose sizes: --dim batch=1,2 /],
    [['open.onnx', '--out', 'm'], /leaves the size of x:0 open; choose sizes: --dim x:0=1,2 /],
    [
      ['model.onnx', '--out', 'm', '--dim', 'batch=1', '--dim', 'bacth=2'],
      /no open dimension bacth; did you mean batch\?/,
    ],
    [['model.onnx', '--out', 'm', '--dim', 'batch'], /--dim must be NAME=SIZE, .* got 'batch'/],
    [['model.onnx', '--out', 'm', '--dim', 'batch=1,x'], /--dim must be a whole number .* got 'x'/],
    [['model.onnx', '--out', 'm', '--dim', 'batch=1', '--dim', 'batch=2'], /--dim batch was given twice/],
    [
      ['model.onnx', '--out', 'm', '--dim', 'batch=99999999'],
      /x of \[99999999,12\] has 1199999988 elements, of at most/,
    ],
    [['model.onnx', '--out', 'm', '--dim', 'batch=1', '--range', 'x=3..1'], /LOW at most HIGH, .* got 'x=3\.\.1'/],
    [['model.onnx', '--out', 'm', '--dim', 'batch=1', '--range', 'z=0..1'], /the model has no input z; there are x /],
    [
      ['gather.onnx', '--out', 'm', '--range', 'ids=0..900'],
      /does not run on ids \[4\]: .*choose other sizes by --dim or values by --range/,
    ],
    [['gather.onnx', '--out', 'm', '--range', 'ids=0.5..2'], /--range of ids must be whole numbers of int64/],
    [['text.onnx', '--out', 'm'], /the input words is of string, and only float16, float32, .* can be made up/],
    [['nothing.onnx', '--out', 'm'], /nothing\.onnx multiplies nothing/],
    [['broken.onnx', '--out', 'm'], /broken\.onnx/],
    [['none.onnx', '--out', 'm'], /none\.onnx: there is no such file/],
    [['model.onnx', '--out', 'm', '--optimization', 'most'], /--optimization must be disabled or basic or/],
    [
      ['taken.json', '--dim', 'batch=1'],
      /--dim is for making a manifest of a model, a file that ends in \.onnx; got taken\.json/,
    ],
  ])('%j is trouble, and one line says what to do', async (args, message) => {
    const folder = await folderOfLibraries(files)
    const { code, stdout, stderr } = await runAssay(['manifest', ...args], folder)
    expect([code, stdout]).toEqual([3, ''])
    expect(stderr).toMatch(/^assay manifest: .*\n$/)
    expect(stderr).toMatch(message)
    await expect(readFile(join(folder, 'm'))).rejects.toThrow('ENOENT')
  })

  test('without the library says what to install', async () => {
    const folder = await folderOfWeights({ 'model.onnx': onnxModel() })
    const { code, stderr } = await runAssay(['manifest', 'model.onnx', '--out', 'm'], folder)
    expect([code, stderr]).toEqual([
      3,
      expect.stringContaining('this needs onnxruntime-node, which is not installed here: npm install onnxruntime-node'),
    ])
  })
})
