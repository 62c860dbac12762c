/** Arithmetic that a backend may declare for a product. */
export type ProfileName = 'float32' | 'int32' | 'int8'

export interface NumericProfile {
  readonly name: ProfileName
  /** u of the accumulation, dimensionless: 2⁻²⁴ where sums are kept in float32, 0 where they are exact. */
  readonly unitRoundoff: number
}

export const profiles: Readonly<Record<ProfileName, NumericProfile>> = {
  /** float32 operands, sums in float32 or better in any order, float32 result. */
  float32: { name: 'float32', unitRoundoff: 2 ** -24 },
  /** int32 operands, exact sums reduced to 32 bits. */
  int32: { name: 'int32', unitRoundoff: 0 },
  /** 8-bit operands less their zero points, exact sums in 32 bits; scaled in float32 and rounded to 8 bits if asked. */
  int8: { name: 'int8', unitRoundoff: 0 },
}
