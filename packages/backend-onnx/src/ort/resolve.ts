import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { AssayError } from '@tensor-assay/core'
import type { OrtBackend } from './library.ts'
import { disableTelemetry } from './telemetry.ts'

/**
 * The backend object that all sessions of an `onnxruntime-node` are created by, found through the module that uses it, so
 * that it is the same copy.
 *
 * @param from - Path or file URL of a module of the user's program, or of its folder with a trailing slash.
 * @throws {AssayError} `backend-unusable` if that module cannot load `onnxruntime-node`, or its inside looks different.
 */
export function resolveBackend(from: string | URL): OrtBackend {
  disableTelemetry()
  let entry: string
  try {
    const require = createRequire(from)
    entry = require.resolve('onnxruntime-node')
    require(entry)
  } catch (cause) {
    throw new AssayError('backend-unusable', `onnxruntime-node cannot be loaded from ${from}: install it there`, {
      cause,
    })
  }
  let inside: unknown
  try {
    inside = createRequire(entry)(join(dirname(entry), 'backend.js'))
  } catch (cause) {
    throw new AssayError('backend-unusable', `${entry} has no backend.js beside it; ${tried}`, { cause })
  }
  const backend = backendIn(inside)
  if (backend === undefined)
    throw new AssayError('backend-unusable', `${entry} creates its sessions elsewhere; ${tried}`)
  return backend
}

/**
 * The backend object of an `onnxruntime-node` that is already loaded.
 *
 * @param ort - What `import * as ort from 'onnxruntime-node'` gives.
 * @throws {TypeError} If it is something else.
 * @throws {AssayError} `backend-unusable` if the module was not loaded by Node (a bundler put it into one file, say).
 */
export function backendOf(ort: object): OrtBackend {
  const { listSupportedBackends } = ('listSupportedBackends' in ort ? ort : (ort as { default?: object }).default) as {
    listSupportedBackends?: unknown
  }
  if (typeof listSupportedBackends !== 'function') {
    throw new TypeError("expected the module that `import * as ort from 'onnxruntime-node'` gives")
  }
  disableTelemetry()
  // Two copies may be loaded. The native function tells which is meant.
  for (const module of Object.values(createRequire(import.meta.url).cache)) {
    const inside = module?.exports as Record<string, unknown> | undefined
    if (inside?.listSupportedBackends !== listSupportedBackends) continue
    const backend = backendIn(inside)
    if (backend !== undefined) return backend
  }
  throw new AssayError('backend-unusable', `the inside of this onnxruntime-node cannot be reached; ${tried}`)
}

const tried = 'this package was made for version 1.30'

function backendIn(inside: unknown): OrtBackend | undefined {
  if (typeof inside !== 'object' || inside === null || !('onnxruntimeBackend' in inside)) return undefined
  const backend = inside.onnxruntimeBackend as Partial<OrtBackend> | undefined
  return typeof backend?.createInferenceSessionHandler === 'function' ? (backend as OrtBackend) : undefined
}
