import type { Server as HttpServer, IncomingMessage } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { Duplex } from 'node:stream'
import { pathOf, refusal, refuse } from './gate.ts'

export type Upgrade = (request: IncomingMessage, stream: Duplex, head: Buffer) => void

interface Attached {
  readonly paths: Map<string, Upgrade>
  readonly dispatch: Upgrade
}

/** The listeners of this transport on servers that belong to somebody else. */
const servers = new WeakMap<HttpServer | HttpsServer, Attached>()

/**
 * Has requests to open a WebSocket at `path` handled. Other paths are left to whoever else handles such requests on that
 * server, and answered with 404 if nobody does.
 *
 * @returns What ends it, or `undefined` if the path is taken.
 */
export function attach(server: HttpServer | HttpsServer, path: string, upgrade: Upgrade): (() => void) | undefined {
  const { paths, dispatch } = servers.get(server) ?? open(server)
  if (paths.has(path)) return undefined
  paths.set(path, upgrade)
  return () => {
    if (paths.get(path) !== upgrade) return
    paths.delete(path)
    if (paths.size > 0) return
    server.off('upgrade', dispatch)
    servers.delete(server)
  }
}

function open(server: HttpServer | HttpsServer): Attached {
  const paths = new Map<string, Upgrade>()
  const dispatch: Upgrade = (request, stream, head) => {
    const upgrade = paths.get(pathOf(request))
    if (upgrade !== undefined) upgrade(request, stream, head)
    else if (server.listenerCount('upgrade') === 1) refuse(stream, refusal(404, 'frame-malformed', 'no such path'))
  }
  server.on('upgrade', dispatch)
  const attached = { paths, dispatch }
  servers.set(server, attached)
  return attached
}
