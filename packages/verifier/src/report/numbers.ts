/** Fewest digits that a value is shown with, and those of a float64. */
const [fewestDigits, mostDigits] = [4, 17]

/** A probability, rounded down: nothing is promised that was not computed. */
export function probability(p: number): string {
  if (p >= 1) return '100%'
  if (p <= 0) return '0%'
  if (p < 0.0001) return 'under 0.01%'
  const digits = p > 0.999 || p < 0.01 ? 2 : 1
  return `${(Math.floor(p * 100 * 10 ** digits) / 10 ** digits).toFixed(digits)}%`
}

/** An upper bound on a fraction, rounded up. */
export function fractionBound(fraction: number): string {
  return `${Math.min(100, Math.ceil(fraction * 1000) / 10).toFixed(1)}%`
}

/** A relative error that is promised to be seen, rounded up to two digits. */
export function visible(error: number): string {
  if (!(error > 0)) return '0'
  const step = 10 ** (Math.floor(Math.log10(error)) - 1)
  return (Math.ceil(error / step - 1e-9) * step).toExponential(1)
}

/**
 * Two values with as many digits as it takes to tell them apart, and their difference; as they are where they are no
 * numbers.
 */
export function contrast(left: string, right: string): { left: string; right: string; difference?: string } {
  const [a, b] = [Number(left), Number(right)]
  if (!Number.isFinite(a) || !Number.isFinite(b)) return { left, right }
  const gap = Math.abs(a - b)
  const leading = gap === 0 ? mostDigits : Math.ceil(Math.log10(Math.max(Math.abs(a), Math.abs(b)) / gap)) + 2
  const digits = Math.min(mostDigits, Math.max(fewestDigits, leading))
  const shown = (value: number) => String(Number(value.toPrecision(digits)))
  return { left: shown(a), right: shown(b), difference: gap.toExponential(1) }
}

/** `1 row`, `2 rows`. */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`
}

export function byteCount(bytes: number): string {
  if (bytes < 1024) return counted(bytes, 'byte')
  const units = ['KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(units.length, Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 1024 ** power
  return `${value.toFixed(value < 10 ? 1 : 0)} ${units[power - 1]}`
}
