import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Calibration,
  calibrationShapes,
  dataFamilies,
  formatCalibration,
  parseCalibration,
  profiles,
} from '@tensor-assay/core'
import { describe, expect, test } from 'vitest'
import { runAssay, startServer } from '../support/cli.ts'
import { folderOfWeights, prove, weightFiles, writeReceipt } from '../support/model.ts'
import { folderOfLibraries, folderOfWrongLibrary, onnxModel } from '../support/onnx.ts'

describe('assay calibrate', () => {
  test.each([
    ['tfjs-cpu', /^TensorFlow\.js 4\.\S+ on cpu, Node 2/],
    ['tfjs-wasm', /^TensorFlow\.js 4\.\S+ on wasm, Node 2/],
    ['onnxruntime', /^ONNX Runtime 1\.\S+ on cpu, Node 2/],
  ])('%s prints a table and writes what it says to a file', async (engine, name) => {
    const folder = await folderOfLibraries()
    const { code, stdout, stderr } = await runAssay(['calibrate', engine, '--out', 'file', '--shape', '2x33x5'], folder)
    expect([code, stderr]).toEqual([0, 'wrote file\n'])
    expect(stdout).toMatch(name)
    const calibration = parseCalibration(await readFile(join(folder, 'file'), 'utf8'))
    expect(calibration.engine).toMatch(name)
    expect(calibration.limits.acceptedRatio).toBeLessThan(profiles.float32.acceptedRatio)
    expect(stdout).toContain(`${calibration.limits.acceptedRatio.toFixed(3)}, built in 4`)
    const lengths = [...calibrationShapes.map(({ k }) => k), 33]
    expect(calibration.measured.map(({ data, k }) => `${data} ${k}`)).toEqual(
      dataFamilies.flatMap(({ name }) => lengths.map((k) => `${name} ${k}`)),
    )
    for (const { data, k, rms, p999, max } of calibration.measured) {
      const figures = [rms, p999, max].map((ratio) => ` +${ratio.toFixed(3)}`).join('')
      expect(stdout).toMatch(new RegExp(`^${data} +${k} +\\d+${figures} +0 +\\d+$`, 'm'))
    }
  })

  test('measures the products of a model on real activations; --json is for programs', async () => {
    const folder = await folderOfLibraries({ 'model.onnx': onnxModel() })
    const args = ['calibrate', 'onnxruntime', '--model', 'model.onnx', '--dim', 'batch=30', '--json']
    const { code, stdout, stderr } = await runAssay(args, folder)
    expect([code, stderr]).toEqual([0, ''])
    const { measured, calibration } = JSON.parse(stdout)
    const real = measured.filter(({ data }: { data: string }) => data === 'real activations')
    expect(real).toMatchObject([
      { k: 12, rejected: 0 },
      { k: 20, entries: 2 * 30 * 8, rejected: 0 },
    ])
    expect(parseCalibration(JSON.stringify(calibration)).profile).toBe('float32')
  })

  test('an engine that is wrong gets no file', async () => {
    const folder = await folderOfWrongLibrary()
    const { code, stdout, stderr } = await runAssay(['calibrate', 'tfjs-cpu', '--out', 'file'], folder)
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^\d+ errors are beyond what float32 allows: this engine is not of that profile\n$/),
    ])
    expect(stdout).not.toContain('limits')
    await expect(readFile(join(folder, 'file'))).rejects.toThrow('ENOENT')
  })

  test.each([
    [[], /expected one ENGINE of tfjs-cpu, tfjs-wasm, onnxruntime, got 0/],
    [['cuda'], /there is no engine cuda; the engines are tfjs-cpu, tfjs-wasm, onnxruntime/],
    [['toString'], /there is no engine toString/],
    [['tfjs-cpu', '--out', 'first.npy'], /first\.npy is there already/],
    [['tfjs-cpu', '--shape', '8x0x64'], /--shape must be MxKxN of three sizes above 0, .* got '8x0x64'/],
    [['tfjs-cpu', '--shape', '8x64'], /--shape must be MxKxN/],
    [['tfjs-cpu', '--shape', '8x99999999x8'], /--shape 8x99999999x8 has a matrix of more than/],
    [['tfjs-cpu', '--seed', 'abc'], /--seed must be 64 hexadecimal digits/],
    [['tfjs-cpu', '--model', 'model.onnx'], /--model is run by onnxruntime, got the engine tfjs-cpu/],
    [['onnxruntime', '--dim', 'batch=1'], /--dim and --range are for the inputs of a --model/],
    [['onnxruntime', '--model', 'model.onnx'], /leaves the size of batch open/],
    [['onnxruntime', '--model', 'none.onnx'], /none\.onnx cannot be loaded by ONNX Runtime/],
    [['onnxruntime', '--model', 'integers.onnx'], /has no product of floating-point numbers that is seen/],
  ])('%j is trouble, and one line says what to do', async (args, message) => {
    const nodes = [{ name: 'p', opType: 'MatMulInteger', inputs: ['x', 'x'], outputs: ['y'] }]
    const files = { 'model.onnx': onnxModel(), 'integers.onnx': onnxModel({ type: 'uint8', dims: [4, 4], nodes }) }
    const { code, stdout, stderr } = await runAssay(['calibrate', ...args], await folderOfLibraries(files))
    expect([code, stdout]).toEqual([3, ''])
    expect(stderr).toMatch(/^assay calibrate: .*\n$/)
    expect(stderr).toMatch(message)
  })

  test('without the library says what to install', async () => {
    const { code, stderr } = await runAssay(['calibrate', 'tfjs-wasm'], await folderOfWeights())
    expect([code, stderr]).toEqual([3, expect.stringContaining('npm install @tensorflow/tfjs-core')])
  })
})

/** A file with some limits of float32; the others are those that are built in. */
function calibrationFile(limits: Partial<Calibration['limits']> = {}): string {
  const { acceptedRatio, acceptedEmulatedRatio, honestRms } = profiles.float32
  return formatCalibration({
    format: 'tensor-assay-calibration',
    version: 1,
    profile: 'float32',
    engine: 'one of a test',
    limits: { acceptedRatio, acceptedEmulatedRatio, honestRms, ...limits },
    measured: [{ data: 'x', structured: false, k: 1, entries: 1, rms: 0, p999: 0, max: 0, emulated: 0 }],
  })
}

describe('--calibration', () => {
  // Of an engine that hardly rounds: the honest prover sums in float32, one term after the other.
  const strict = calibrationFile({ acceptedRatio: 0.01, acceptedEmulatedRatio: 0.01, honestRms: 0.001 })
  const cases = [
    ['usual', 'pass', 0],
    ['strict', 'fail', 1],
  ] as const

  test.each(cases)('a server with %s limits', async (file, status, code) => {
    const folder = await folderOfWeights({ usual: calibrationFile(), strict })
    const args = ['--weights', ...weightFiles, '--calibration', file, '--listen', 'tcp://127.0.0.1:0', '--once']
    const server = await startServer(args, folder)
    await server.stderrHas(/^limits of float32 for one of a test$/m)
    expect((await prove(server.address)).status).toBe(status)
    expect((await server.ended).code).toBe(code)
  })

  test.each(cases)('a receipt under %s limits', async (file, status, code) => {
    const receipt = await writeReceipt({ iterations: 2 ** 20 })
    const folder = await folderOfWeights({ usual: calibrationFile(), strict, 'run.receipt': receipt })
    const args = ['verify', 'run.receipt', '--json', '--weights', ...weightFiles, '--calibration', file]
    const ended = await runAssay(args, folder)
    expect(ended.code).toBe(code)
    expect(JSON.parse(ended.stdout)).toMatchObject({ status })
  })

  test.each([
    [['none'], /there is no calibration file none/],
    [['notes'], /notes: not a calibration file: .*; make the file anew by assay calibrate/],
    [['loose'], /loose: .*a calibration can only tighten/],
    [['usual', '--calibration', 'usual'], /calibrated twice: float32, float32/],
  ])('%j is refused', async (files, message) => {
    const loose = calibrationFile({ acceptedRatio: 40 })
    const folder = await folderOfWeights({ notes: 'none of it', loose, usual: calibrationFile(), 'run.receipt': 'x' })
    const args = ['verify', 'run.receipt', '--weights', 'first.npy', '--calibration', ...files]
    const { code, stdout, stderr } = await runAssay(args, folder)
    expect([code, stdout]).toEqual([3, ''])
    expect(stderr).toMatch(message)
  })
})
