import { createHash, timingSafeEqual } from 'node:crypto'
import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { AssayError, type AssayErrorCode } from '@tensor-assay/core'
import { subprotocol, tokenPrefix, tokenProtocol } from './wire.ts'

/** Why a request does not become a channel. */
export interface Refusal {
  readonly status: number
  readonly error: AssayError
}

export interface GateOptions {
  readonly path: string
  readonly origins: ReadonlySet<string>
  readonly token: string | undefined
}

/** Decides about requests to open a WebSocket by what their headers say. */
export class Gate {
  readonly #path: string
  readonly #origins: ReadonlySet<string>
  readonly #secrets: { readonly header: Buffer; readonly protocol: Buffer } | undefined

  constructor({ path, origins, token }: GateOptions) {
    this.#path = path
    this.#origins = origins
    this.#secrets = token === undefined ? undefined : { header: digest(token), protocol: digest(tokenProtocol(token)) }
  }

  refusalOf(request: IncomingMessage): Refusal | undefined {
    const path = pathOf(request)
    if (path !== this.#path) return refusal(404, 'frame-malformed', `it asked for the path ${JSON.stringify(path)}`)
    const { origin } = request.headers
    if (origin !== undefined && !this.#origins.has('*') && !this.#origins.has(origin)) {
      const unlisted = `a page of ${JSON.stringify(origin)} is not let in; list it in ws({ origins })`
      return refusal(403, 'peer-untrusted', unlisted)
    }
    const protocols = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((each) => each.trim())
    if (!this.#admits(request.headers.authorization, protocols)) {
      return refusal(401, 'peer-untrusted', 'its token is missing or wrong')
    }
    if (protocols.includes(subprotocol)) return undefined
    return refusal(400, 'version-unsupported', `it does not offer the subprotocol ${subprotocol}`)
  }

  #admits(authorization = '', protocols: readonly string[]): boolean {
    if (this.#secrets === undefined) return true
    const { header, protocol } = this.#secrets
    const [, shown = ''] = /^Bearer +(.*)$/i.exec(authorization) ?? []
    const offered = protocols.find((each) => each.startsWith(tokenPrefix)) ?? ''
    return timingSafeEqual(digest(shown), header) || timingSafeEqual(digest(offered), protocol)
  }
}

/** Path of a request, without its query. */
export function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0]!
}

export function refusal(status: number, code: AssayErrorCode, problem: string): Refusal {
  return { status, error: new AssayError(code, `refused with ${status}: ${problem}`) }
}

/** Answers a request to open a WebSocket with an error, and ends the connection. */
export function refuse(socket: Duplex, { status, error }: Refusal): void {
  const body = `${STATUS_CODES[status]}: ${error.message}\n`
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Type: text/plain',
    `Content-Length: ${Buffer.byteLength(body)}`,
    // As RFC 6455 section 4.4 asks for versions: the one that would be accepted.
    ...(error.code === 'version-unsupported' ? [`Sec-WebSocket-Protocol: ${subprotocol}`] : []),
  ]
  socket.on('error', () => {})
  socket.once('finish', () => socket.destroy())
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
