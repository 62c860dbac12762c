import type { OrtSessionOptions } from './library.ts'

/** Marks the options of sessions that this package creates for itself, in whichever copy of it. */
const own = Symbol.for('tensor-assay.onnx.own-session')

export function isOwnSession(options: object): boolean {
  return own in options
}

/**
 * `options` with some of them changed. What the native binding asks for but is not changed comes from the user's object,
 * inherited properties included.
 *
 * @param changes - An undefined one takes the option away: the binding refuses options that are there and undefined.
 */
export function changedOptions(options: OrtSessionOptions, changes: OrtSessionOptions | Undefined): OrtSessionOptions {
  const changed = { ...changes, [own]: true } as Record<string | symbol, unknown>
  return new Proxy(options, {
    has: (target, key) => (key in changed ? changed[key] !== undefined : Reflect.has(target, key)),
    get: (target, key) => (key in changed ? changed[key] : Reflect.get(target, key)),
  })
}

type Undefined = { readonly [name in keyof OrtSessionOptions]?: OrtSessionOptions[name] | undefined }
