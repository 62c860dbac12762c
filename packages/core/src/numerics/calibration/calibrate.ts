import type { Backend } from '../../backend.ts'
import type { Matrix } from '../../matrix.ts'
import { row } from '../../matrix.ts'
import { deriveSeed } from '../../random/seed.ts'
import { decodeElements } from '../decode.ts'
import { identityEpilogue, type NumericEpilogue } from '../epilogue.ts'
import { prepareMatrix } from '../prepared.ts'
import { profiles } from '../profile.ts'
import type { OpenedRow } from '../row.ts'
import { draws } from './draws.ts'
import { encodeMatrix } from './encode.ts'
import { type DataFamily, dataFamilies, type Operands } from './families.ts'
import type { CalibratedProfileName, Calibration } from './file.ts'
import { limitsOf } from './limits.ts'
import { measureRows, type RowErrors } from './measure.ts'
import { type ObservedProduct, observeProducts } from './observe.ts'

export interface CalibrateOptions {
  readonly profile: CalibratedProfileName
  /** For people: which engine, of which version, on which machine. */
  readonly engine: string
  /**
   * C = A·B as the engine computes it, for A of shape [m, k] and B of shape [k, n], in the element type of the profile's
   * operands. With a `backend`, what it returns is not looked at: C is what the backend reports.
   */
  readonly multiply: (a: Matrix, b: Matrix) => unknown
  readonly backend?: Backend
  /** Products that ran elsewhere, those of a model on real activations: see {@link observeProducts}. */
  readonly products?: readonly ObservedProduct[]
  readonly shapes?: readonly CalibrationShape[]
  readonly families?: readonly DataFamily[]
  /** 32 bytes that everything made up comes from. */
  readonly seed?: Uint8Array
  readonly onMeasured?: (measured: Measured) => void
}

export interface CalibrationShape {
  readonly m: number
  readonly k: number
  readonly n: number
}

export const calibrationShapes: readonly CalibrationShape[] = [1, 7, 64, 300, 1024, 4096].map((k) => ({
  m: 16,
  k,
  n: 64,
}))

/** Errors of the engine on one kind of data, for sums of one length. */
export interface Measured {
  readonly data: string
  readonly structured: boolean
  readonly k: number
  /** Entries whose error shows; those of rows that say nothing do not count. */
  readonly entries: number
  /** rms, 99.9th percentile and largest of |e|/ν. */
  readonly rms: number
  readonly p999: number
  readonly max: number
  /** Largest multiple of the emulated rounding errors. */
  readonly emulated: number
  /** Entries that the profile rejects. */
  readonly rejected: number
  /** Rows of which nothing can be said. */
  readonly guarded: number
}

export interface CalibrationReport {
  readonly measured: readonly Measured[]
  /** Absent if an entry was rejected: then the engine is not one of this profile. */
  readonly calibration?: Calibration
}

/**
 * Measures what an engine is wrong by, over shapes and kinds of data, and which limits would do for it.
 *
 * @throws {TypeError} If `multiply` returns no matrix of m × n, or the backend reports no product.
 *
 * @example
 * ```ts
 * const multiply = (a: Matrix, b: Matrix) => tf.tidy(() => tf.matMul(tensorOf(a), tensorOf(b)))
 * const report = await calibrate({ profile: 'float32', engine: 'tfjs 4.22 wasm', backend: tfjs(tf), multiply })
 * if (report.calibration) await writeFile('wasm.json', formatCalibration(report.calibration))
 * ```
 */
export async function calibrate(options: CalibrateOptions): Promise<CalibrationReport> {
  const { profile, engine, shapes = calibrationShapes, families = dataFamilies, products = [], onMeasured } = options
  const seed = options.seed ?? new Uint8Array(32)
  const measured: Measured[] = []
  let isFloat32 = true

  function measure(data: string, structured: boolean, k: number, of: readonly ObservedProduct[]): void {
    isFloat32 &&= of.every(({ c }) => c.dtype === 'float32')
    const { ratios, ...errors } = together(of.map((product) => measureRows(rowsOf(product, profile))))
    const found = { data, structured, k, ...statistics(ratios), ...errors }
    measured.push(found)
    onMeasured?.(found)
  }

  for (const [i, family] of families.entries()) {
    for (const [j, { m, k, n }] of shapes.entries()) {
      const made = family.make(draws(deriveSeed(seed, 'calibration', i, j)), m, k, n)
      measure(family.name, family.structured, k, [await productOf(made, options)])
    }
  }
  const lengths = [...new Set(products.map(({ a }) => a.cols))].sort((a, b) => a - b)
  for (const k of lengths) {
    measure(
      'real activations',
      false,
      k,
      products.filter(({ a }) => a.cols === k),
    )
  }
  if (measured.some(({ rejected }) => rejected > 0)) return { measured }
  const stated = measured.map(({ rejected: _, guarded: __, ...rest }) => rest)
  const limits = limitsOf(profiles[profile], stated, isFloat32)
  const format = { format: 'tensor-assay-calibration', version: 1 } as const
  return { measured, calibration: { ...format, profile, engine, limits, measured: stated } }
}

/** Has the engine multiply operands that were made up. */
async function productOf({ m, k, n, a, columns }: Operands, options: CalibrateOptions): Promise<ObservedProduct> {
  const { profile, multiply, backend } = options
  const dtype = profile === 'tf32' ? 'float32' : profile
  const left = encodeMatrix(a, m, k, dtype)
  const right = encodeMatrix(columns, n, k, dtype)
  const rowMajor = Float32Array.from({ length: k * n }, (_, i) => columns[(i % n) * k + Math.floor(i / n)]!)
  const b = encodeMatrix(rowMajor, k, n, dtype)
  if (backend !== undefined) {
    const [product] = await observeProducts(backend, () => multiply(left, b), { rows: m, columns: n })
    if (product === undefined) throw new TypeError(`${backend.name} reported no product while multiply ran`)
    return product
  }
  const c = (await multiply(left, b)) as Partial<Matrix> | undefined
  if (c?.rows !== m || c.cols !== n || !(c.bytes instanceof Uint8Array) || c.dtype === undefined) {
    throw new TypeError(`expected multiply to return a matrix of ${m}×${n}, got ${c?.rows}×${c?.cols}`)
  }
  return { a: left, columns: right, c: c as Matrix }
}

function rowsOf(
  { a, columns, c, epilogue: stated = identityEpilogue }: ObservedProduct,
  name: CalibratedProfileName,
): OpenedRow[] {
  const profile = profiles[name]
  const roundedTo = c.dtype === 'float16' || c.dtype === 'bfloat16' ? c.dtype : undefined
  const epilogue: NumericEpilogue = { ...stated, ...(roundedTo === undefined ? {} : { roundedTo }) }
  const b = prepareMatrix({ ...columns, k: columns.cols, n: columns.rows, transposed: true })
  return Array.from({ length: a.rows }, (_, i) => ({ a: values(a, i), b, c: values(c, i), profile, epilogue }))
}

function values(matrix: Matrix, index: number): Float64Array {
  return new Float64Array(decodeElements(row(matrix, index), matrix.dtype))
}

/** Errors of several products as those of one. */
function together(errors: readonly RowErrors[]): RowErrors {
  const sum = (count: (of: RowErrors) => number) => errors.reduce((total, of) => total + count(of), 0)
  const ratios = new Float64Array(sum((of) => of.ratios.length))
  let end = 0
  for (const of of errors) {
    ratios.set(of.ratios, end)
    end += of.ratios.length
  }
  return {
    ratios,
    emulated: errors.reduce((largest, of) => Math.max(largest, of.emulated), 0),
    rejected: sum((of) => of.rejected),
    guarded: sum((of) => of.guarded),
  }
}

function statistics(ratios: Float64Array): { entries: number; rms: number; p999: number; max: number } {
  if (ratios.length === 0) return { entries: 0, rms: 0, p999: 0, max: 0 }
  const sorted = ratios.slice().sort()
  const squares = ratios.reduce((sum, ratio) => sum + ratio * ratio, 0)
  return {
    entries: ratios.length,
    rms: Math.sqrt(squares / ratios.length),
    p999: sorted[Math.ceil(0.999 * ratios.length) - 1]!,
    max: sorted.at(-1)!,
  }
}
