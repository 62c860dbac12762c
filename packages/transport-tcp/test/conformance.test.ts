import { join } from 'node:path'
import { transportConformance } from '@tensor-assay/core/conformance'
import { beforeAll, describe, test } from 'vitest'
import { type TcpOptions, tcp } from '../src/index.ts'
import { type Certificate, certificate } from './support/certificates.ts'
import { socketFolder } from './support/folder.ts'
import { relayed } from './support/proxy.ts'

let own: Certificate
beforeAll(async () => {
  own = await certificate()
})
const folder = socketFolder()
let sockets = 0

const schemes: Record<string, { options?: () => TcpOptions; listenAddress(): string }> = {
  tcp: { listenAddress: () => 'tcp://127.0.0.1:0' },
  tls: {
    options: () => ({ tls: { key: own.key, cert: own.cert, ca: own.cert, requestCert: true } }),
    listenAddress: () => 'tls://127.0.0.1:0',
  },
  unix: { listenAddress: () => `unix:${join(folder, `${++sockets}.sock`)}` },
}

for (const [scheme, { options, listenAddress }] of Object.entries(schemes)) {
  describe.concurrent(`${scheme} keeps the contract of a transport`, () => {
    for (const { name, requires = [], run } of transportConformance) {
      test(name, async () => {
        const limits = { maxMessageBytes: 2 ** 20, maxBufferedBytes: 2 ** 18, closeTimeoutMs: 500 }
        const transport = tcp({ ...limits, ...options?.() })
        await run({
          listenAddress,
          transport,
          timeoutMs: 30_000,
          ...(requires.includes('abrupt-loss') && relayed(transport)),
        })
      })
    }
  })
}
