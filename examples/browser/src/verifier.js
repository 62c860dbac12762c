// Serves the pages, and audits what the prover's page runs: node src/verifier.js [port, 8080] [folder, dist]
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ws } from '@tensor-assay/transport-ws'
import { createVerifier, describeVerdict, interactive, tfjsWeights } from '@tensor-assay/verifier'
import { count, featureCount, featuresOf } from './points.js'

const pathOf = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url))
const [port = '8080', folder = pathOf('../dist')] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port)) throw new TypeError(`usage: node verifier.js [port] [folder of the pages], got ${port}`)

/** @type {Record<string, string>} */
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
}

// What is served is what the folder held at the start, so that no request can name anything else.
/** @type {Map<string, { type: string, body: Buffer }>} */
const files = new Map()
for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue
  const path = join(entry.parentPath, entry.name)
  const type = types[extname(path)] ?? 'application/octet-stream'
  files.set(`/${relative(folder, path).split(sep).join('/')}`, { type, body: await readFile(path) })
}

const server = createServer(({ url = '/' }, response) => {
  const path = url.split('?', 1)[0] ?? '/'
  const file = files.get(path === '/' ? '/prover.html' : path)
  if (file) response.writeHead(200, { 'Content-Type': file.type, 'Cache-Control': 'no-store' }).end(file.body)
  else response.writeHead(404, { 'Content-Type': 'text/plain' }).end('not found\n')
})
await new Promise((resolve) => server.listen(Number(port), '127.0.0.1', () => resolve(undefined)))
const address = server.address()
if (address === null || typeof address === 'string') throw new TypeError(`expected a TCP address, got ${address}`)

// The verifier's own copies: nothing that decides comes from the page.
const points = await readFile(pathOf('../public/model/points.bin'))
const features = featuresOf(
  new Float32Array(points.buffer.slice(points.byteOffset, points.byteOffset + points.byteLength)),
)
const input = /** @type {const} */ ({
  rows: count,
  cols: featureCount,
  dtype: 'float32',
  bytes: new Uint8Array(features.buffer),
})
const weights = await tfjsWeights(pathOf('../public/model/model.json'))
const verifier = createVerifier({ weights, policy: interactive() })

// Pages of other sites are not let in.
const origins = ['127.0.0.1', 'localhost'].map((host) => `http://${host}:${address.port}`)
await ws({ origins, onError: (error) => console.error(error.message) }).listen(
  `ws://127.0.0.1:${address.port}/audit`,
  async (channel) => {
    const verdict = await verifier.accept(channel, { inputs: [input] })
    console.log(describeVerdict(verdict, { detail: 'brief' }))
  },
  { server },
)
console.log(`listening on http://127.0.0.1:${address.port}`)
