import { challengeSeed } from '../commitment/challenge.ts'
import type { Layout } from '../layout.ts'
import { type OpenedRowNumbers, openedRows, type SampledProduct, unitShape } from '../sampling/opened-rows.ts'
import type { ProverLink } from './link.ts'

/** Which rows of each product are opened in `spot` mode. They follow from the number and the kind of the product alone. */
export interface SpotPlans {
  /** Of a product that a run is about to multiply. */
  foresee(sequence: number, product: SampledProduct): OpenedRowNumbers
  /** Of a product that is there. */
  take(sequence: number, product: SampledProduct): OpenedRowNumbers
  /** Draws what the next run will ask for if it multiplies what the last two did. Called when there is nothing else to do. */
  drawAhead(): void
}

interface Drawn {
  readonly product: SampledProduct
  readonly rows: OpenedRowNumbers
}

/** Products that a run asked for beforehand, by number. */
type Run = Map<number, SampledProduct>

/** Plans that are remembered, at most: one that was forgotten is drawn again. */
const maxDrawn = 16_384

/** To draw rows takes longer than to copy them, so it is done before they are needed, and not twice. */
export function spotPlans({ policy, session, sampler }: Pick<ProverLink, 'policy' | 'session' | 'sampler'>): SpotPlans {
  const seed = policy.spotSeed!
  const drawn = new Map<number, Drawn>()
  let previous: Run = new Map()
  let current: Run = new Map()
  let isTaken = false

  function rowsOf(sequence: number, product: SampledProduct): OpenedRowNumbers {
    const known = drawn.get(sequence)
    if (known !== undefined && isSame(known.product, product)) return known.rows
    return openedRows(product, sampler.plan(challengeSeed(seed, session, sequence), unitShape(product)))
  }

  function remember(sequence: number, product: SampledProduct): OpenedRowNumbers {
    const rows = rowsOf(sequence, product)
    if (drawn.size >= maxDrawn) drawn.clear()
    drawn.set(sequence, { product, rows })
    return rows
  }

  return {
    foresee(sequence, product) {
      if (isTaken) {
        previous = current
        current = new Map()
        isTaken = false
      }
      current.set(sequence, product)
      return remember(sequence, product)
    },
    take(sequence, product) {
      isTaken = true
      const rows = rowsOf(sequence, product)
      drawn.delete(sequence)
      return rows
    },
    drawAhead() {
      const distance = startOf(current) - startOf(previous)
      const isRepeated = [...current].every(([sequence, product]) => {
        const before = previous.get(sequence - distance)
        return before !== undefined && isSame(before, product)
      })
      // Where runs take turns, plans that nobody asks for would only cost.
      if (!isTaken || !isRepeated || previous.size !== current.size) return
      for (const [sequence, product] of current) remember(sequence + distance, product)
    },
  }
}

function startOf(run: Run): number {
  return run.keys().next().value ?? 0
}

function isSame(known: SampledProduct, product: SampledProduct): boolean {
  if (known.right !== product.right || known.hasAddend !== product.hasAddend) return false
  return isSameLayout(known.layout, product.layout)
}

function isSameLayout(known: Layout, layout: Layout): boolean {
  return known === layout || JSON.stringify(known) === JSON.stringify(layout)
}
