import {
  type Calibration,
  type CalibrationShape,
  calibrate as calibrateEngine,
  calibrationShapes,
  formatCalibration,
  type Measured,
  observeProducts,
  profiles,
} from '@tensor-assay/core'
import type { Given } from '../arguments/options.ts'
import { bytes32 } from '../arguments/values.ts'
import { command } from '../command.ts'
import { Complaint } from '../complaint.ts'
import { described, engines } from '../engines/engine.ts'
import { newFile } from '../new-file.ts'
import { inputChoices, inputOptions } from '../onnx/input-options.ts'
import { modelRuns } from '../onnx/model-runs.ts'
import { note, say } from '../terminal.ts'

/** Calibrated are engines of this arithmetic: what the backends declare of floating-point products on a CPU. */
const profile = 'float32'

/** Operands of one product, elements. */
const maxElements = 2 ** 26

/** Shapes beside the usual ones: each is a line of the table for each kind of data. */
const maxShapes = 64

const options = {
  out: { value: 'FILE', help: 'file that gets the calibration; it must not be there yet' },
  shape: { value: 'MxKxN', many: 'list', help: 'products of M×K and K×N are measured besides, such as 8x11008x64' },
  model: {
    value: 'FILE',
    help: 'ONNX model whose products are measured as well, on real activations; for onnxruntime',
  },
  ...inputOptions,
  seed: { value: 'HEX', help: '32 bytes that all data but the inputs of a model comes from' },
  json: { help: 'what was measured and the calibration as JSON, for programs' },
} as const

export const calibrate = command({
  summary: 'measures how exactly an engine multiplies, for tighter limits',
  usage: 'ENGINE [--out FILE] [options]',
  options,
  details:
    `ENGINE is ${Object.keys(engines).join(', ')}; its packages must be installed in the current folder or beside assay.\n` +
    'The table has the errors in units of ν, the scale of honest rounding errors; see docs/numerics.md.\n' +
    'A verifier takes the file by --calibration: it then sees smaller errors, and may fail engines other than this one.\n' +
    'Exit code: 0 measured, 1 an error is beyond what the profile allows, so that there is no calibration.',
  async run(given) {
    const { name, shapes, seed, model } = terms(given)
    const out = given.one('out')
    const keep = out === undefined ? undefined : await newFile(out)
    const engine = await engines[name]()
    const products = model === undefined ? [] : await productsOf(model, given)
    const json = given.has('json')
    if (!json) say(`${described(engine)}\n\n${line(heading)}`)
    const { measured, calibration } = await calibrateEngine({
      profile,
      engine: described(engine),
      backend: engine.backend,
      multiply: (a, b) => engine.multiply(a, b),
      shapes: [...calibrationShapes, ...shapes],
      products,
      ...(seed && { seed }),
      onMeasured: (row) => json || say(line(cells(row))),
    })
    if (json) say(JSON.stringify({ measured, calibration: calibration ?? null }))
    if (calibration === undefined) {
      const rejected = measured.reduce((sum, row) => sum + row.rejected, 0)
      note(`${rejected} errors are beyond what ${profile} allows: this engine is not of that profile`)
      return 1
    }
    if (!json) say(`\n${limitsText(calibration)}`)
    await keep?.(formatCalibration(calibration))
    if (out !== undefined) note(`wrote ${out}`)
    return 0
  },
})

/** What must be right before any library is loaded. */
function terms(given: Given<keyof typeof options>) {
  const [engine, ...more] = given.positionals
  const known = Object.keys(engines) as (keyof typeof engines)[]
  if (engine === undefined || more.length > 0) {
    throw new Complaint(`expected one ENGINE of ${known.join(', ')}, got ${given.positionals.length}`)
  }
  const name = known.find((candidate) => candidate === engine)
  if (name === undefined) throw new Complaint(`there is no engine ${engine}; the engines are ${known.join(', ')}`)
  const model = given.one('model')
  if (model !== undefined && name !== 'onnxruntime') {
    throw new Complaint(`--model is run by onnxruntime, got the engine ${name}`)
  }
  if (model === undefined && (given.has('dim') || given.has('range'))) {
    throw new Complaint('--dim and --range are for the inputs of a --model')
  }
  const shapes = given.all('shape').map(shapeOf)
  if (shapes.length > maxShapes) throw new Complaint(`--shape takes at most ${maxShapes} shapes, got ${shapes.length}`)
  return { name, model, shapes, seed: bytes32('seed', given.one('seed')) }
}

function shapeOf(text: string): CalibrationShape {
  const [, m, k, n] = (/^(\d{1,9})[x×](\d{1,9})[x×](\d{1,9})$/.exec(text) ?? []).map(Number)
  if (!m || !k || !n)
    throw new Complaint(`--shape must be MxKxN of three sizes above 0, such as 8x4096x64, got '${text}'`)
  if (m * k > maxElements || k * n > maxElements || m * n > maxElements) {
    throw new Complaint(`--shape ${text} has a matrix of more than ${maxElements} elements; errors depend on K alone`)
  }
  return { m, k, n }
}

async function productsOf(path: string, given: Given<keyof typeof options>) {
  const model = await modelRuns(path, inputChoices(given))
  const products = []
  for (const run of model.runs) products.push(...(await observeProducts(model.backend, run)))
  await model.release()
  if (products.length > 0) return products
  throw new Complaint(`${path} has no product of floating-point numbers that is seen; calibrate without --model`)
}

const heading = ['data', 'k', 'entries', 'rms', 'p99.9', 'max', 'rejected', 'rows that say nothing']

function cells({ data, k, entries, rms, p999, max, rejected, guarded }: Measured): string[] {
  return [data, k, entries, rms.toFixed(3), p999.toFixed(3), max.toFixed(3), rejected, guarded].map(String)
}

/** A line of the table, which is printed while it is measured. */
function line([data = '', ...numbers]: readonly string[]): string {
  const widths = [7, 8, 8, 8, 9, 9, 23]
  return `${data.padEnd(16)}${numbers.map((number, i) => number.padStart(widths[i]!)).join('')}`
}

function limitsText({ limits }: Calibration): string {
  const builtIn = profiles[profile]
  const row = (what: string, limit: number, usual: number) =>
    `  ${what.padEnd(36)}${limit.toFixed(3)}, built in ${usual}`
  return [
    'limits of the calibration',
    row('error accepted at once, in ν', limits.acceptedRatio, builtIn.acceptedRatio),
    row('error accepted of an emulated one', limits.acceptedEmulatedRatio, builtIn.acceptedEmulatedRatio),
    row('rms of many errors, in ν', limits.honestRms, builtIn.honestRms),
  ].join('\n')
}
