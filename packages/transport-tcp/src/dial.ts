import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { AssayError, Deadline } from '@tensor-assay/core'
import { isTlsError, peerUntrusted } from '@tensor-assay/core/node'
import { type Address, dialable, formatAddress } from './address.ts'
import { SocketChannel } from './channel.ts'
import { exchangePreambles } from './handshake.ts'
import type { Settings } from './options.ts'

export interface DialSettings extends Settings {
  readonly signal: AbortSignal | undefined
  /** Whether the process may end while the channel is open. */
  readonly background: boolean
}

/** Keep-alive finds a machine that vanished; the peer's kernel answers it even while its program is busy. */
export const keepAliveDelayMs = 60_000

/** Connects, exchanges preambles and gives the channel, or leaves nothing behind. */
export async function dial(address: Address, settings: DialSettings): Promise<SocketChannel> {
  const { signal, credentials, maxMessageBytes, handshakeTimeoutMs } = settings
  const label = formatAddress(address)
  if (address.scheme !== 'unix' && address.port === 0) {
    throw new AssayError('address-invalid', `${label} cannot be dialed: port 0 is only for listening`)
  }
  if (signal?.aborted) throw aborted(label, signal)

  const socket = open(address, settings)
  socket.on('error', () => {}) // whoever waits for it hears it too; after that nobody needs to
  const onAbort = () => socket.destroy(aborted(label, signal!))
  signal?.addEventListener('abort', onAbort, { once: true })
  const deadline = new Deadline(handshakeTimeoutMs, () => {
    const late = `${label} did not complete the handshake within ${handshakeTimeoutMs} ms`
    socket.destroy(new AssayError('deadline-exceeded', late))
  }).start()
  try {
    await once(socket, address.scheme === 'tls' ? 'secureConnect' : 'connect')
    const distrust = address.scheme === 'tls' ? credentials.distrustOf(socket as TLSSocket) : undefined
    if (distrust !== undefined) throw distrust
    const { theirs, rest } = await exchangePreambles(socket, { maxMessageBytes, refused: false })
    if (theirs.refused) throw peerUntrusted(`${label} does not accept the certificate of this side`)
    const limit = Math.min(maxMessageBytes, theirs.maxMessageBytes)
    if (settings.background) socket.unref()
    return new SocketChannel(socket, label, { ...settings, maxMessageBytes: limit }, rest)
  } catch (error) {
    socket.destroy()
    throw asDialError(error as Error, label, address.scheme === 'tls')
  } finally {
    deadline.stop()
    signal?.removeEventListener('abort', onAbort)
  }
}

function open(address: Address, { credentials }: DialSettings): Socket {
  if (address.scheme === 'unix') return connect({ path: address.path })
  const { host, port } = dialable(address)
  const socket = address.scheme === 'tls' ? credentials.connect({ ...address, host }) : connect({ host, port })
  return socket.setNoDelay(true).setKeepAlive(true, keepAliveDelayMs)
}

function aborted(label: string, signal: AbortSignal): AssayError {
  return new AssayError('aborted', `dialing ${label} was aborted by the caller`, { cause: signal.reason })
}

function asDialError(error: Error, label: string, secure: boolean): AssayError {
  if (AssayError.isInstance(error)) {
    if (error.code !== 'channel-lost') return error
    const hint = `${label} ended the connection during the handshake; it may have no room for another channel`
    return new AssayError('peer-unreachable', hint, { cause: error })
  }
  if (secure && isTlsError(error)) return peerUntrusted(`${label}: ${error.message}`, error)
  // A host with several addresses fails with one error for each, and no message of its own.
  const reasons = error instanceof AggregateError ? error.errors.map((each: Error) => each.message) : [error.message]
  return new AssayError('peer-unreachable', `nobody answers on ${label}: ${reasons.join('; ')}`, { cause: error })
}
