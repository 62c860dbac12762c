import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { AssayError, type Channel, type Listener } from '@tensor-assay/core'
import { type Address, formatAddress } from './address.ts'
import { keepAliveDelayMs } from './dial.ts'
import type { Settings } from './options.ts'
import { Reception } from './reception.ts'
import { removeStaleSocket } from './stale-socket.ts'

export interface ListenSettings extends Settings {
  readonly signal: AbortSignal | undefined
}

/** Binds the address and hands every connection that completes its handshake to `onChannel`. */
export async function listen(
  address: Address,
  onChannel: (channel: Channel) => void,
  settings: ListenSettings,
): Promise<Listener> {
  const { signal, onError } = settings
  const reception = new Reception(address, onChannel, settings)
  throwIfAborted(address, signal)
  const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveDelayMs })
  server.on('connection', (socket) => reception.receive(socket))
  await bind(server, address)
  if (signal?.aborted) server.close()
  throwIfAborted(address, signal)

  const bound = address.scheme === 'unix' ? address : { ...address, port: (server.address() as AddressInfo).port }
  const label = formatAddress(bound)
  // For example, no file descriptor was left for a connection. The next one may find one.
  server.on('error', (error) => onError(error, label))
  const close = async () => {
    // Its callback would wait for the open channels to end, which go on.
    server.close()
    reception.close()
  }
  return { address: label, close, [Symbol.asyncDispose]: close }
}

async function bind(server: Server, address: Address): Promise<void> {
  try {
    await bindOnce(server, address)
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (address.scheme === 'unix' && code === 'EADDRINUSE' && (await removeStaleSocket(address.path))) {
      return bind(server, address)
    }
    throw new AssayError('address-unavailable', `cannot listen on ${formatAddress(address)}: ${message}`, { cause })
  }
}

async function bindOnce(server: Server, address: Address): Promise<void> {
  server.listen(address.scheme === 'unix' ? { path: address.path } : { host: address.host, port: address.port })
  await once(server, 'listening')
}

function throwIfAborted(address: Address, signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return
  const message = `listening on ${formatAddress(address)} was aborted by the caller`
  throw new AssayError('aborted', message, { cause: signal.reason })
}
