import type { CreateHandler, ModelInput, OrtBackend, OrtHandler, OrtSessionOptions } from './library.ts'
import { isOwnSession } from './session-options.ts'

/** Makes the handler of a session in the place of `create`, the original. */
export type HandlerFactory = (
  create: CreateHandler,
  source: ModelInput,
  options: OrtSessionOptions,
) => Promise<OrtHandler>

interface Patch {
  readonly wrapper: CreateHandler
  /** Undefined where the function is the prototype's. */
  readonly ownBefore: CreateHandler | undefined
  users: number
}

const patches = new WeakMap<OrtBackend, Patch>()

/**
 * Has every session of `backend` created through `factory`, until the returned function is called as often as this one.
 * The last call leaves the backend as it was found, unless somebody else has patched it since: then theirs stays, and ours
 * beneath it passes everything on.
 *
 * @param factory - The same one for each call with the same backend.
 */
export function patchBackend(backend: OrtBackend, factory: HandlerFactory): () => void {
  let patch = patches.get(backend)
  if (patch === undefined) {
    patch = apply(backend, factory)
    patches.set(backend, patch)
  }
  patch.users++
  let isUsed = true
  return () => {
    if (!isUsed) return
    isUsed = false
    if (--patch.users === 0) remove(backend, patch)
  }
}

function apply(backend: OrtBackend, factory: HandlerFactory): Patch {
  const original = backend.createInferenceSessionHandler
  const ownBefore = Object.hasOwn(backend, 'createInferenceSessionHandler') ? original : undefined
  const create: CreateHandler = (source, options) => original.call(backend, source, options)
  const patch: Patch = {
    ownBefore,
    users: 0,
    wrapper: (source, options = {}) =>
      // The sessions that an instrumented session is made of are created through here too, by this or another copy.
      patch.users === 0 || isOwnSession(options) ? create(source, options) : factory(create, source, options),
  }
  backend.createInferenceSessionHandler = patch.wrapper
  return patch
}

function remove(backend: OrtBackend, patch: Patch): void {
  if (backend.createInferenceSessionHandler !== patch.wrapper) return
  patches.delete(backend)
  if (patch.ownBefore !== undefined) backend.createInferenceSessionHandler = patch.ownBefore
  else delete (backend as Partial<OrtBackend>).createInferenceSessionHandler
}
