/** Arithmetic that a backend may declare for a product. */
export type ProfileName = 'float32' | 'tf32' | 'float16' | 'bfloat16' | 'exact' | 'int32' | 'int8'

/**
 * What an honest engine of one kind may be wrong by. A backend names its kind, the verifier's policy says which kinds it
 * accepts, and a prover chooses nothing: a looser profile than it runs would be a way to hide.
 */
export interface NumericProfile {
  readonly name: ProfileName
  /**
   * How a value is judged: `rounded` within a tolerance; `reproduced` by the engine's own order of summation, bit by bit;
   * `integer` and `quantized` as the exact sum.
   */
  readonly sums: 'rounded' | 'reproduced' | 'integer' | 'quantized'
  /** u of the accumulation, dimensionless: 2⁻²⁴ where sums are kept in float32, 0 where they are exact. */
  readonly unitRoundoff: number
  /** Whether the engine may be a tensor core, which cuts the terms of a sum off where it should round them. */
  readonly truncates: boolean
  /** Relative rounding of each operand before it is multiplied: 2⁻¹¹ where float32 is cut to 10 bits of fraction, or 0. */
  readonly operandRoundoff: number
  /** Multiple of ν up to which an error is accepted without more ado. */
  readonly acceptedRatio: number
  /** Multiple of the largest emulated rounding error that an escalated entry may have. */
  readonly acceptedEmulatedRatio: number
  /** Largest rms of |e|/ν over many entries that honest engines show on data without structure. */
  readonly honestRms: number
  /** Largest rms tolerance, relative to the rms value of a row, at which a check says anything. */
  readonly maxRelativeTolerance: number
}

const exactSums = {
  unitRoundoff: 0,
  truncates: false,
  operandRoundoff: 0,
  acceptedRatio: 4,
  acceptedEmulatedRatio: 8,
  honestRms: 0,
  maxRelativeTolerance: 1e-3,
} as const

/**
 * float32: the largest honest ratio in 2.5·10⁹ draws was 2.83, so 4 escalates nothing without structure; the largest rms,
 * 0.26, belongs to sequential sums of one sign. Honest rows without cancellation have tolerances of at most 4·u·√(2K),
 * 4.3·10⁻⁵ of their values at K = 16384.
 */
const float32 = { ...exactSums, name: 'float32', sums: 'rounded', unitRoundoff: 2 ** -24, honestRms: 0.26 } as const

/**
 * 16-bit operands are multiplied exactly (22 or 16 bits of product fit a float32), so that their rounding is not an error
 * of the product. Sums are kept in float32 by rounding, as on a CPU, or by truncation, as in tensor cores.
 *
 * The largest rms on data of random signs, 0.55, is that of blocks of 4 with one extra bit at K = 16384. Sums of one sign
 * show up to 6.3 on a V100, which cuts off each product; escalation emulates these very cores.
 *
 * @see errorScale for the derivation.
 */
const halfOperands = {
  ...exactSums,
  sums: 'rounded',
  unitRoundoff: 2 ** -24,
  truncates: true,
  honestRms: 0.6,
  maxRelativeTolerance: 5e-3,
} as const

export const profiles: Readonly<Record<ProfileName, NumericProfile>> = {
  /** float32 operands, sums in float32 or better in any order, float32 result. */
  float32,
  /**
   * float32 operands cut to 11 significant bits, to nearest or towards zero, and multiplied in tensor cores.
   *
   * Rounding to nearest shows an rms of 0.4, truncation 0.8 on data of random signs and 1.15 on data of one sign: two
   * operands that each lose 0.72·2⁻¹¹ in the mean, over ν = 1.25·2⁻¹¹·|c|.
   *
   * @see NVIDIA A100 Tensor Core GPU Architecture, 2020: 8 bits of exponent, 10 of fraction, float32 accumulation.
   */
  tf32: { ...halfOperands, name: 'tf32', operandRoundoff: 2 ** -11, honestRms: 1.2, maxRelativeTolerance: 2e-2 },
  /** float16 operands as they are after any cast, sums in float32; float32 result, or rounded to float16 at the end. */
  float16: { ...halfOperands, name: 'float16' },
  /** bfloat16 operands as they are after any cast, sums in float32; float32 result, or rounded to bfloat16 at the end. */
  bfloat16: { ...halfOperands, name: 'bfloat16' },
  /**
   * float32 operands, summed in the order of TensorFlow.js's `cpu` backend, which any IEEE 754 machine reproduces: see
   * {@link checkReproducedEntry}. Nothing but that value is accepted. Freivalds vectors use the bounds of `float32`.
   */
  exact: { ...float32, name: 'exact', sums: 'reproduced' },
  /** int32 operands, exact sums reduced to 32 bits. */
  int32: { ...exactSums, name: 'int32', sums: 'integer' },
  /** 8-bit operands less their zero points, exact sums in 32 bits; scaled in float32 and rounded to 8 bits if asked. */
  int8: { ...exactSums, name: 'int8', sums: 'quantized' },
}
