import { createServer } from 'node:http'
import { AssayError } from '@tensor-assay/core'
import { expect, test } from 'vitest'
import { ws as browserWs } from '../src/browser.ts'
import { ws } from '../src/index.ts'
import type { WsOptions } from '../src/options.ts'

test.each<[WsOptions, string]>([
  [{ maxMessageBytes: 0 }, 'maxMessageBytes must be an integer from 1 to 2147483647, got 0'],
  [{ maxMessageBytes: 2 ** 31 }, 'maxMessageBytes'],
  [{ maxBufferedBytes: Number.NaN }, 'maxBufferedBytes'],
  [{ maxTotalBufferedBytes: 0 }, 'maxTotalBufferedBytes'],
  [{ maxChannels: 1.5 }, 'maxChannels'],
  [{ handshakeTimeoutMs: 2 ** 31 }, 'handshakeTimeoutMs'],
  [{ idleTimeoutMs: 0 }, 'idleTimeoutMs must be an integer'],
  [{ pingIntervalMs: -1 }, 'pingIntervalMs'],
  [{ stallTimeoutMs: 0.5 }, 'stallTimeoutMs'],
  [{ closeTimeoutMs: 0 }, 'closeTimeoutMs'],
])('%j is out of range', (options, message) => {
  expect(() => ws(options)).toThrow(RangeError)
  expect(() => ws(options)).toThrow(message)
})

test.each(['', 'with space', 'new\nline', 'a=b', 'é', 'a'.repeat(1025), 'quote"'])('%j is no token', (token) => {
  for (const make of [ws, browserWs]) expect(() => make({ token })).toThrow(TypeError)
  // An error may end in a log.
  if (token.length > 3) expect(() => ws({ token })).not.toThrow(token)
})

test.each(['a', 'a'.repeat(1024), 'eyJhbGciOiJub25lIn0.e30.', 'YWJj/+Y=='])('%j is a token', (token) => {
  ws({ token })
})

test.each([
  'app.example',
  'https://app.example/',
  'https://App.example',
  'https://app.example:443',
  'http://app.example/page',
  'https://*.example',
  'https://',
  '',
])('%j is no origin', (origin) => {
  expect(() => ws({ origins: [origin] })).toThrow(TypeError)
})

test.each(['https://app.example', 'http://localhost:3000', 'chrome-extension://abcdef', 'null', '*'])(
  '%j is an origin',
  (origin) => {
    ws({ origins: [origin] })
  },
)

test('limits of one call are checked as well', async () => {
  await expect(ws().dial('ws://127.0.0.1:1', { handshakeTimeoutMs: -1 })).rejects.toThrow(RangeError)
  await expect(browserWs().dial('ws://127.0.0.1:1', { handshakeTimeoutMs: -1 })).rejects.toThrow(RangeError)
  await expect(ws().listen('ws://127.0.0.1:0', () => {}, { maxChannels: 0 })).rejects.toThrow(RangeError)
})

test('port 0 cannot be dialed', async () => {
  await expect(ws().dial('ws://127.0.0.1:0')).rejects.toMatchObject({ code: 'address-invalid' })
})

test('port 0 of a server that does not listen is a slip of the programmer', async () => {
  await expect(ws().listen('ws://127.0.0.1:0', () => {}, { server: createServer() })).rejects.toThrow(
    'state one, or let it listen first',
  )
})

test('a browser is told what is not for it', async () => {
  expect(() => browserWs({ tls: {} } as object)).toThrow('ws({ tls }) is for Node')
  await expect(browserWs().listen('ws://127.0.0.1:0', () => {})).rejects.toMatchObject({ code: 'address-unavailable' })
  await expect(browserWs().listen('nonsense', () => {})).rejects.toMatchObject({ code: 'address-invalid' })
})

test('an error of the transport is an AssayError for every copy of the core', async () => {
  const error = await ws()
    .dial('nonsense')
    .catch((reason) => reason)
  expect(AssayError.isInstance(error)).toBe(true)
})
