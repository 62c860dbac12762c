import * as v from 'valibot'
import { AssayError } from '../../errors.ts'
import { type NumericProfile, type ProfileName, profiles } from '../profile.ts'

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const positive = v.pipe(v.number(), v.finite(), v.gtValue(0))
const ratio = v.pipe(v.number(), v.finite(), v.minValue(0))
const text = v.pipe(v.string(), v.maxLength(512))

const ratios = { entries: count, rms: ratio, p999: ratio, max: ratio }

/** Profiles whose tolerance is a multiple of a scale; where values are exact there is nothing to calibrate. */
export const calibratedProfiles = ['float32', 'tf32', 'float16', 'bfloat16'] as const satisfies readonly ProfileName[]
export type CalibratedProfileName = (typeof calibratedProfiles)[number]

const schema = v.strictObject({
  format: v.literal('tensor-assay-calibration'),
  version: v.literal(1),
  profile: v.picklist(calibratedProfiles),
  /** For people: which engine, of which version, on which machine. */
  engine: text,
  /** What a policy takes from the file. */
  limits: v.strictObject({
    acceptedRatio: positive,
    acceptedEmulatedRatio: positive,
    honestRms: positive,
  }),
  /** Ratios of the error to ν for each kind of data and length of sums, and of the error to the emulated one. */
  measured: v.pipe(
    v.array(
      v.strictObject({
        data: text,
        structured: v.boolean(),
        k: count,
        ...ratios,
        /** Largest multiple of the emulated rounding errors; of the entries for which these were emulated. */
        emulated: ratio,
      }),
    ),
    v.minLength(1),
    v.maxLength(4096),
  ),
})

/** What an engine was measured to be wrong by, and the limits that follow for a policy that expects this very engine. */
export type Calibration = Readonly<v.InferOutput<typeof schema>>

/** Largest file that is read, characters. */
export const maxCalibrationLength = 2 ** 20

/**
 * Reads a calibration file. Nothing in it is optional, nothing unknown is ignored, and its limits are at most those that
 * are built in: a file can make a verifier stricter and never more lenient.
 *
 * @param json - The content of the file.
 * @throws {AssayError} `calibration-malformed`.
 */
export function parseCalibration(json: string): Calibration {
  if (json.length > maxCalibrationLength) {
    throw malformed(`expected at most ${maxCalibrationLength} characters, got ${json.length}`)
  }
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    throw malformed((error as Error).message)
  }
  const result = v.safeParse(schema, value)
  if (!result.success) {
    const [issue] = result.issues
    throw malformed(`${v.getDotPath(issue) ?? 'the file'}: ${issue.message}`)
  }
  const problem = looserThan(profiles[result.output.profile], result.output)
  if (problem !== undefined) throw malformed(problem)
  return result.output
}

/** The file of a calibration; {@link parseCalibration} reads it. */
export function formatCalibration(calibration: Calibration): string {
  return `${JSON.stringify(calibration, null, 2)}\n`
}

/**
 * A profile with the limits of a calibration.
 *
 * @throws {RangeError} If the calibration is of another profile, or looser than it.
 */
export function calibratedProfile(profile: NumericProfile, calibration: Calibration): NumericProfile {
  if (calibration.profile !== profile.name) {
    throw new RangeError(`a calibration of ${calibration.profile} says nothing of ${profile.name}`)
  }
  const problem = looserThan(profile, calibration)
  if (problem !== undefined) throw new RangeError(problem)
  return { ...profile, ...calibration.limits }
}

function looserThan(profile: NumericProfile, { limits }: Calibration): string | undefined {
  for (const name of ['acceptedRatio', 'acceptedEmulatedRatio', 'honestRms'] as const) {
    if (!(limits[name] <= profile[name])) {
      return `limits.${name} is ${limits[name]}, ${profile.name} allows ${profile[name]}: a calibration can only tighten`
    }
  }
  return undefined
}

function malformed(what: string): AssayError {
  return new AssayError('calibration-malformed', `not a calibration file: ${what}`)
}
