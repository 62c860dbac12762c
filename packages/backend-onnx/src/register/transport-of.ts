import { AssayError, type Transport } from '@tensor-assay/core'

interface Loader {
  readonly module: string
  load(): Promise<Transport>
}

const overTcp: Loader = {
  module: '@tensor-assay/transport-tcp',
  load: async () => (await import('@tensor-assay/transport-tcp')).tcp(),
}
const overWs: Loader = {
  module: '@tensor-assay/transport-ws',
  load: async () => (await import('@tensor-assay/transport-ws')).ws(),
}

const loaders = new Map([
  ['tcp', overTcp],
  ['tls', overTcp],
  ['unix', overTcp],
  ['ws', overWs],
  ['wss', overWs],
])

/**
 * The transport for the scheme of `address`, which is loaded only now: who dials TCP needs no WebSockets.
 *
 * @throws {AssayError} `address-invalid` if no transport has that scheme, or the one that has is not installed.
 */
export async function transportOf(address: string): Promise<Transport> {
  const [, scheme = ''] = /^([a-z]+):/.exec(address) ?? []
  const loader = loaders.get(scheme)
  if (loader === undefined) {
    const known = [...loaders.keys()].join(', ')
    throw new AssayError('address-invalid', `expected an address that starts with one of ${known}, got '${address}'`)
  }
  try {
    return await loader.load()
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND'
    if (!isMissing || !String(cause).includes(loader.module)) throw cause
    throw new AssayError('address-invalid', `${scheme}: needs ${loader.module}, which is not installed`, { cause })
  }
}
