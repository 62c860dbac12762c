import type { Corruption, UnitShape } from './sampler.ts'

/** The numbers that a sampler takes, each with its default and what it must be. */
export type ParameterRules<Name extends string> = Readonly<
  Record<Name, { readonly default: number; readonly kind: 'rate' | 'count' }>
>

/**
 * Fills in defaults and checks parameters, which may have come from the other side.
 *
 * @throws {RangeError} If a parameter is unknown, a rate is outside [0, 1], or a count is not an integer from 1 to 2³².
 */
export function checkParameters<Name extends string>(
  sampler: string,
  rules: ParameterRules<Name>,
  given: Readonly<Record<string, number | undefined>>,
): Readonly<Record<Name, number>> {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(rules, name)) {
      throw new RangeError(`${sampler} takes the parameters ${Object.keys(rules).join(', ')}, got '${name}'`)
    }
  }
  const entries = Object.keys(rules).map((key) => {
    const name = key as Name
    const value = (Object.hasOwn(given, name) ? given[name] : undefined) ?? rules[name].default
    const isValid =
      rules[name].kind === 'rate' ? value >= 0 && value <= 1 : Number.isInteger(value) && value >= 1 && value <= 2 ** 32
    if (!isValid || typeof value !== 'number') {
      const expected = rules[name].kind === 'rate' ? 'a number from 0 to 1' : 'an integer from 1 to 2^32'
      throw new RangeError(`${sampler}: ${name} must be ${expected}, got ${value}`)
    }
    return [name, value]
  })
  return Object.freeze(Object.fromEntries(entries))
}

/** @throws {RangeError} If a size is not an integer from 0 to 2³². */
export function checkShape(shape: UnitShape): void {
  for (const name of ['rows', 'k', 'n'] as const) {
    const size = shape[name]
    if (!Number.isInteger(size) || size < 0 || size > 2 ** 32) {
      throw new RangeError(`${name} of a product must be an integer from 0 to 2^32, got ${size}`)
    }
  }
}

/**
 * Rows and entries per row that are corrupted.
 *
 * @throws {RangeError} If the corruption does not fit into the product.
 */
export function checkCorruption(shape: UnitShape, corruption: Corruption): { rows: number; columns: number } {
  const { rows, columns = shape.n } = corruption
  const fits = (value: number, limit: number) => Number.isInteger(value) && value >= 0 && value <= limit
  if (!fits(rows, shape.rows) || !fits(columns, shape.n)) {
    throw new RangeError(
      `expected at most ${shape.rows} corrupted rows of at most ${shape.n} entries each, got ${rows} of ${columns}`,
    )
  }
  return { rows, columns }
}

/** A product without entries, or whose entries are sums of nothing: there is nothing to draw. */
export function isEmpty(shape: UnitShape): boolean {
  return shape.rows === 0 || shape.k === 0 || shape.n === 0
}
