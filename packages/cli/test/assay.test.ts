import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { runAssay } from './support/cli.ts'
import { folderOfWeights, npy } from './support/model.ts'

describe('assay', () => {
  test('--help lists the commands', async () => {
    const { code, stdout, stderr } = await runAssay(['--help'], '.')
    expect([code, stderr]).toEqual([0, ''])
    for (const name of ['serve', 'verify', 'weights', 'manifest', 'calibrate', 'identity'])
      expect(stdout).toContain(`assay ${name} `)
  })

  test('without a command says the same, as trouble', async () => {
    const { code, stdout, stderr } = await runAssay([], '.')
    expect([code, stdout]).toEqual([3, ''])
    expect(stderr).toContain('assay serve')
  })

  test('--version is that of the package', async () => {
    const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'))
    expect(await runAssay(['--version'], '.')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  })

  test.each([
    ['serve', ['--weights FILE…', '--listen ADDRESS', '--once', '--tls-cert FILE', 'Exit code']],
    ['verify', ['RECEIPT', '--iterations N', '--beacon HEX', 'Exit code']],
    ['weights', ['FILE…', '--json']],
    ['manifest', ['MODEL.onnx', '--dim NAME=N,N…', '--range INPUT=LOW..HIGH', 'FILE', '--json']],
    ['calibrate', ['ENGINE', '--out FILE', 'tfjs-wasm', '--model FILE', 'Exit code']],
    ['identity', ['FILE']],
  ])('%s --help lists its options', async (name, words) => {
    const { code, stdout, stderr } = await runAssay([name, '--help'], '.')
    expect([code, stderr]).toEqual([0, ''])
    for (const word of words) expect(stdout).toContain(word)
  })
})

describe('one line says what was wrong, and the exit code is 3', () => {
  test.each([
    [['srve'], 'assay: there is no command srve; did you mean serve? (assay --help)'],
    [
      ['frobnicate'],
      'assay: there is no command frobnicate; the commands are serve, verify, weights, manifest, calibrate, identity (assay --help)',
    ],
    [['toString'], /^assay: there is no command toString/],
    [
      ['serve', '--wieghts', 'first.npy'],
      'assay serve: there is no option --wieghts; did you mean --weights? (assay serve --help)',
    ],
    [
      ['serve', '--weights', 'first.npy'],
      'assay serve: expected --listen ADDRESS, such as tcp://127.0.0.1:11234 (assay serve --help)',
    ],
    [['serve', '--listen', 'tcp://127.0.0.1:0'], /^assay serve: expected --weights FILE/],
    [['weights', 'none.npy'], 'assay weights: none.npy: there is no such file'],
    [['weights', 'cut.npy'], /^assay weights: cut.npy: .* but there are only 500 bytes; copy or download it again$/],
    [
      ['weights', 'notes.txt'],
      /^assay weights: notes.txt: unknown format, expected \.npy, \.safetensors, \.onnx or model\.json/,
    ],
    [['manifest', 'notes.txt'], /^assay manifest: notes.txt: the manifest is not JSON.*; make the file anew/],
    [['manifest', 'none.json'], 'assay manifest: there is no manifest file none.json (assay manifest --help)'],
    [['identity', 'notes.txt'], /^assay identity: the identity file notes.txt is of no use/],
    [['verify', 'none.receipt', '--weights', 'first.npy'], /^assay verify: there is no receipt file none.receipt/],
    [['verify', '.', '--weights', 'first.npy'], /^assay verify: expected a receipt file, \. is a folder or a device/],
  ] as const)('%j', async (args, message) => {
    const cut = npy([96, 64], new Float32Array(96 * 64)).subarray(0, 500)
    const folder = await folderOfWeights({ 'notes.txt': 'not what it takes', 'cut.npy': cut })
    const { code, stdout, stderr } = await runAssay(args, folder)
    expect([code, stdout]).toEqual([3, ''])
    expect(stderr.split('\n')).toHaveLength(2)
    if (typeof message === 'string') expect(stderr).toBe(`${message}\n`)
    else expect(stderr.trimEnd()).toMatch(message)
  })
})
