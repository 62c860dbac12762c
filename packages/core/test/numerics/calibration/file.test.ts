import { describe, expect, it } from 'vitest'
import { AssayError } from '../../../src/errors.ts'
import {
  type Calibration,
  calibratedProfile,
  formatCalibration,
  maxCalibrationLength,
  parseCalibration,
} from '../../../src/numerics/calibration/file.ts'
import { profiles } from '../../../src/numerics/profile.ts'

const calibration: Calibration = {
  format: 'tensor-assay-calibration',
  version: 1,
  profile: 'float32',
  engine: 'tfjs 4.22 cpu',
  limits: { acceptedRatio: 1, acceptedEmulatedRatio: 2, honestRms: 0.1 },
  measured: [
    { data: 'Gaussian', structured: false, k: 64, entries: 512, rms: 0.05, p999: 0.2, max: 0.25, emulated: 0.7 },
  ],
}

function refused(json: string): string {
  try {
    parseCalibration(json)
  } catch (error) {
    if (AssayError.isInstance(error) && error.code === 'calibration-malformed') return error.message
    throw error
  }
  return ''
}

/** The file with something at `path` set, or deleted where `value` is undefined. */
function changed(path: readonly (string | number)[], value: unknown): string {
  const copy = structuredClone(calibration) as unknown as Record<string, unknown>
  let at = copy as Record<string | number, unknown>
  for (const key of path.slice(0, -1)) at = at[key] as Record<string | number, unknown>
  at[path.at(-1)!] = value
  return JSON.stringify(copy)
}

describe('a calibration file', () => {
  it('is read as it was written', () => {
    expect(parseCalibration(formatCalibration(calibration))).toEqual(calibration)
  })

  it.each([
    [['format'], 'something-else'],
    [['version'], 2],
    [['profile'], 'exact'],
    [['profile'], 'int8'],
    [['profile'], undefined],
    [['engine'], 7],
    [['limits'], undefined],
    [['limits', 'acceptedRatio'], undefined],
    [['limits', 'acceptedRatio'], 0],
    [['limits', 'acceptedRatio'], -1],
    [['limits', 'honestRms'], null],
    [['limits', 'honestRms'], '0.1'],
    [['measured'], []],
    [['measured', 0, 'k'], 1.5],
    [['measured', 0, 'max'], undefined],
  ] as const)('is refused with %j = %j', (path, value) => {
    expect(refused(changed(path, value))).toContain('not a calibration file')
  })

  it.each([[['comment']], [['limits', 'maxRelativeTolerance']], [['measured', 0, 'note']]] as const)(
    'is refused with the unknown field %j',
    (path) => {
      expect(refused(changed(path, 1))).toContain(path.join('.'))
    },
  )

  it.each([
    ['acceptedRatio', 4.001],
    ['acceptedEmulatedRatio', 8.001],
    ['honestRms', 0.2601],
  ] as const)('cannot loosen %s', (name, value) => {
    expect(refused(changed(['limits', name], value))).toContain('a calibration can only tighten')
    const loose = { ...calibration, limits: { ...calibration.limits, [name]: value } }
    expect(() => calibratedProfile(profiles.float32, loose)).toThrow(RangeError)
  })

  it('is refused where it is no JSON, or too long', () => {
    expect(refused('{')).toContain('not a calibration file')
    expect(refused(' '.repeat(maxCalibrationLength + 1))).toContain('characters')
  })

  it('is of 4096 measurements at most', () => {
    const measured = Array.from({ length: 4096 }, () => calibration.measured[0]!)
    expect(refused(changed(['measured'], measured))).toBe('')
    expect(refused(changed(['measured'], [...measured, measured[0]]))).toContain('measured')
  })
})

describe('calibratedProfile', () => {
  it('takes the limits and leaves the rest', () => {
    expect(calibratedProfile(profiles.float32, calibration)).toEqual({ ...profiles.float32, ...calibration.limits })
  })

  it('refuses another profile', () => {
    expect(() => calibratedProfile(profiles.tf32, calibration)).toThrow(RangeError)
  })
})
