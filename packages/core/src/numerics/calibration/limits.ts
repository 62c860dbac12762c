import type { NumericProfile } from '../profile.ts'
import type { Calibration } from './file.ts'

/** Margin over the largest ratio and over the largest rms that were measured. */
const [ofMax, ofRms] = [2, 1.5]
/** An rms over shorter sums says little of an engine: there it is the roundings of the operands' own products. */
const leastTerms = 64

/**
 * Limits for an engine that was measured: its largest ratio on data without structure twice, its largest multiple of the
 * emulated errors twice, its largest rms 1.5 times, and nothing beyond what the profile allows.
 *
 * The accepted ratio stays at 1 or above: the roundings of a factor or a bias, which products were not measured with, are
 * up to 0.71ν. The multiple of the emulated errors stays at 2 or above, because the order of an engine depends on the shape.
 * Results of 16 bits show too little of their sums to calibrate them, so their limits are those of the profile.
 */
export function limitsOf(
  profile: NumericProfile,
  measured: Calibration['measured'],
  isFloat32: boolean,
): Calibration['limits'] {
  const { acceptedRatio, acceptedEmulatedRatio, honestRms } = profile
  if (!isFloat32) return { acceptedRatio, acceptedEmulatedRatio, honestRms }
  const plain = measured.filter(({ structured }) => !structured)
  const largest = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b), 0)
  const max = largest(plain.map((m) => m.max))
  const rms = largest(plain.filter(({ k }) => k >= leastTerms).map((m) => m.rms))
  const emulated = largest(measured.map((m) => m.emulated))
  return {
    acceptedRatio: Math.min(acceptedRatio, Math.max(1, ofMax * max)),
    acceptedEmulatedRatio: Math.min(acceptedEmulatedRatio, Math.max(2, ofMax * emulated)),
    honestRms: rms === 0 ? honestRms : Math.min(honestRms, ofRms * rms),
  }
}
