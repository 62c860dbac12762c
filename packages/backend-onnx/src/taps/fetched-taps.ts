import type { OrtTensor, OrtValues } from '../ort/library.ts'
import type { TapReading } from './tap-reader.ts'

/**
 * Every tapped value becomes an output and is fetched in every run. The binding copies it once, into JavaScript's memory.
 *
 * Values that are the same in every run are fetched in the first one and kept for as long as the session lives: they are
 * derived from its weights, and take as much memory.
 */
export const fetchedTaps: TapReading = (plan, outputNames) => {
  const own = new Set(outputNames)
  const constants = new Map<string, OrtTensor>()
  const declared = [...plan.taps, ...plan.constants].filter((name) => !own.has(name))
  return {
    addition: { nodes: plan.added, outputs: declared.map((name) => ({ name })) },
    async run(handler, feeds, fetches, options) {
      const missing = plan.constants.filter((name) => !constants.has(name))
      const taps = [...plan.taps, ...missing].filter((name) => !Object.hasOwn(fetches, name))
      const results = await handler.run(
        feeds,
        { ...fetches, ...Object.fromEntries(taps.map((name) => [name, null])) },
        options,
      )
      for (const name of missing) {
        // A constant that is an output of the model belongs to the user, who may change it.
        const tensor = tensorOf(results, name)
        if (tensor !== undefined && !own.has(name)) constants.set(name, tensor)
      }
      return {
        outputs: Object.fromEntries(Object.entries(results).filter(([name]) => Object.hasOwn(fetches, name))),
        value: (name) => tensorOf(results, name) ?? constants.get(name),
      }
    },
  }
}

function tensorOf(values: OrtValues, name: string): OrtTensor | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined
}
