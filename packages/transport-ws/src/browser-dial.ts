import { AssayError, type Channel, Deadline } from '@tensor-assay/core'
import { type Address, dialable, formatAddress, requireDialable } from './address.ts'
import { BrowserLink } from './browser-link.ts'
import type { DialerSettings } from './dialer-options.ts'
import { greet } from './greeting.ts'
import { subprotocol, tokenProtocol } from './wire.ts'

export interface BrowserDialSettings extends DialerSettings {
  readonly signal: AbortSignal | undefined
}

/** Opens a WebSocket of the browser, exchanges hellos and gives the channel, or leaves nothing behind. */
export async function dial(address: Address, settings: BrowserDialSettings): Promise<Channel> {
  const { signal, handshakeTimeoutMs } = settings
  const label = formatAddress(address)
  requireDialable(address)
  const aborted = () => {
    return new AssayError('aborted', `dialing ${label} was aborted by the caller`, { cause: signal?.reason })
  }
  if (signal?.aborted) throw aborted()

  const link = new BrowserLink(open(address, settings))
  let interrupt!: (error: Error) => void
  const interrupted = new Promise<never>((_, reject) => {
    interrupt = reject
  })
  const onAbort = () => interrupt(aborted())
  signal?.addEventListener('abort', onAbort, { once: true })
  const deadline = new Deadline(handshakeTimeoutMs, () => {
    const late = `${label} did not complete the handshake within ${handshakeTimeoutMs} ms`
    interrupt(new AssayError('deadline-exceeded', late))
  }).start()
  try {
    return await Promise.race([greet(link, label, settings), interrupted])
  } catch (error) {
    link.destroy()
    throw asDialError(error as AssayError, label)
  } finally {
    deadline.stop()
    signal?.removeEventListener('abort', onAbort)
  }
}

function open(address: Address, { token }: BrowserDialSettings): WebSocket {
  const protocols = token === undefined ? [subprotocol] : [subprotocol, tokenProtocol(token)]
  const url = formatAddress(dialable(address))
  try {
    return new WebSocket(url, protocols)
  } catch (cause) {
    // As it does with ws:// on a page that came over https.
    throw new AssayError('peer-unreachable', `the browser does not dial ${url}: ${(cause as Error).message}`, { cause })
  }
}

/** Browsers tell a page nothing about a WebSocket that did not open. */
function asDialError(error: AssayError, label: string): AssayError {
  if (error.code !== 'channel-lost') return error
  const possible = 'nobody answers, or it refuses the path, the origin of this page, the token or another channel'
  const certificate = label.startsWith('wss:') ? ', or its certificate is not trusted' : ''
  const message = `${label} cannot be reached: ${possible}${certificate}; the listener tells its onError`
  return new AssayError('peer-unreachable', message, { cause: error })
}
