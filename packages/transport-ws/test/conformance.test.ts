import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Transport } from '@tensor-assay/core'
import { transportConformance } from '@tensor-assay/core/conformance'
import { afterAll, beforeAll, describe, test, vi } from 'vitest'
import { ws as browserWs } from '../src/browser.ts'
import { type WsOptions, ws } from '../src/index.ts'
import { type Certificate, certificate } from './support/certificates.ts'
import { inPieces, type Relay, relayed } from './support/relay.ts'
import { StandIn } from './support/stand-in.ts'

const limits = { maxMessageBytes: 2 ** 20, maxBufferedBytes: 2 ** 18 }

let own: Certificate
const http = createHttpServer((_, response) => response.writeHead(404).end())
const https = createHttpsServer((_, response) => response.writeHead(404).end())
beforeAll(async () => {
  own = await certificate()
  https.setSecureContext({ key: own.key, cert: own.cert })
  for (const server of [http, https]) await once(server.listen(0, '127.0.0.1'), 'listening')
  // The browser's half of the package, over a WebSocket that has the same interface.
  vi.stubGlobal('WebSocket', StandIn)
})
afterAll(() => {
  http.close()
  https.close()
  vi.unstubAllGlobals()
})

let paths = 0
const portOf = (server: typeof http | typeof https) => (server.address() as AddressInfo).port

function attached(transport: ReturnType<typeof ws>, server: typeof http | typeof https): Transport {
  return {
    ...transport,
    listen: (address, onChannel, options) => transport.listen(address, onChannel, { ...options, server }),
  }
}

const kinds: Record<
  string,
  { transport(limits: WsOptions): Transport; listenAddress(): string; relay?(transport: Transport): Relay }
> = {
  'ws://': { transport: (limits) => ws(limits), listenAddress: () => 'ws://127.0.0.1:0' },
  'wss://': {
    transport: (limits) => ws({ ...limits, tls: { key: own.key, cert: own.cert, ca: own.cert, requestCert: true } }),
    listenAddress: () => 'wss://127.0.0.1:0/audit',
  },
  'ws:// in small pieces': {
    transport: (limits) => ws(limits),
    listenAddress: () => 'ws://127.0.0.1:0/audit',
    relay: (transport) => relayed(transport, inPieces),
  },
  'a path of an http server': {
    transport: (limits) => attached(ws(limits), http),
    listenAddress: () => `ws://127.0.0.1:${portOf(http)}/${++paths}`,
  },
  'a path of an https server': {
    transport: (limits) => attached(ws({ ...limits, tls: { ca: own.cert } }), https),
    listenAddress: () => `wss://127.0.0.1:${portOf(https)}/${++paths}`,
  },
  'a dialer as in browsers': {
    transport: (limits) => ({ ...ws(limits), dial: browserWs(limits).dial }),
    listenAddress: () => 'ws://127.0.0.1:0',
  },
}

for (const [kind, { transport: make, listenAddress, relay }] of Object.entries(kinds)) {
  describe.concurrent(`${kind} keeps the contract of a transport`, () => {
    for (const { name, requires = [], run } of transportConformance) {
      test(name, async () => {
        // Short where it has to pass, and long where it must not on a busy machine.
        const transport = make({ ...limits, closeTimeoutMs: requires.includes('close-deadline') ? 500 : 30_000 })
        await run({
          listenAddress,
          transport,
          timeoutMs: 30_000,
          ...relay?.(transport),
          ...(requires.includes('abrupt-loss') && relayed(transport)),
        })
      })
    }
  })
}
