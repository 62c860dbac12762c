import { AssayError } from '../errors.ts'
import { grid } from './grid.ts'
import { rows } from './rows.ts'
import type { Sampler, SamplerFactory } from './sampler.ts'

/** The samplers that both sides know by name. */
export const samplerFactories: Readonly<Record<string, SamplerFactory>> = { rows, grid }

/**
 * Makes the sampler that the other side named.
 *
 * @param factories - The samplers to choose from; spread {@link samplerFactories} to add your own.
 * @throws {AssayError} `sampler-unknown` if there is none of this name; `message-malformed` if the factory refuses the
 *   parameters.
 */
export function samplerNamed(
  name: string,
  parameters: Readonly<Record<string, number>>,
  factories: Readonly<Record<string, SamplerFactory>> = samplerFactories,
): Sampler {
  const factory = Object.hasOwn(factories, name) ? factories[name] : undefined
  if (factory === undefined) {
    const known = Object.keys(factories).join(', ')
    throw new AssayError('sampler-unknown', `expected a sampler among ${known}, got ${JSON.stringify(name)}`)
  }
  try {
    return factory(parameters)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new AssayError('message-malformed', `the other side asked for sampler ${cause.message}`, { cause })
  }
}
