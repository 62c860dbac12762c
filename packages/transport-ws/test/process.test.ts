import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { certificate } from './support/certificates.ts'
import { listening } from './support/listening.ts'

const entry = new URL('../src/index.ts', import.meta.url).href

/** Runs a program of its own until it exits by itself. */
async function run(program: string): Promise<{ stdout: string; stderr: string }> {
  const source = `import { ws } from '${entry}'\n${program}`
  const flags = ['--conditions=@tensor-assay/source', '--import=tsx', '--input-type=module', '--eval', source]
  // Far below the default deadlines, so that a timer that kept the process alive would show.
  return promisify(execFile)(process.execPath, flags, { timeout: 20_000 })
}

test('a process ends by itself once its channels and listeners are closed', async () => {
  const { stdout } = await run(`
    const never = { handshakeTimeoutMs: 600_000, idleTimeoutMs: 600_000, pingIntervalMs: 600_000, closeTimeoutMs: 600_000 }
    const listener = await ws(never).listen('ws://127.0.0.1:0', async (channel) => {
      for await (const message of channel) await channel.send([message])
      await channel.close()
    })
    const channel = await ws(never).dial(listener.address)
    await channel.send([Buffer.from('hello')])
    for await (const message of channel) {
      console.log(Buffer.from(message).toString())
      break
    }
    await channel.close()
    await listener.close()
    console.log('closed')
  `)
  expect(stdout).toBe('hello\nclosed\n')
})

test('the example of the README does what it says', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const [, example = ''] = /```ts\n(.*?)```/s.exec(readme) ?? []
  const { stdout, stderr } = await run(example.replace(/^import .*$/m, ''))
  expect([stdout, stderr]).toEqual(['hello, auditor\n', ''])
})

test('an open listener keeps the process alive', async () => {
  const { stdout } = await run(`
    const listener = await ws().listen('ws://127.0.0.1:0', () => {})
    setTimeout(() => {
      console.log('still here')
      listener.close()
    }, 300).unref()
  `)
  expect(stdout).toBe('still here\n')
})

describe.each(['ws', 'wss'])('a process of which only a channel over %s: is left', (scheme) => {
  async function left(options: object): Promise<string> {
    const tls = scheme === 'wss' ? await certificate() : undefined
    const { address, nextChannel } = await listening({ address: `${scheme}://127.0.0.1:0`, ...(tls && { tls }) })
    const arrival = nextChannel()
    const running = run(`
      const tls = ${JSON.stringify(tls === undefined ? {} : { tls: { ca: tls.cert } })}
      // The channel works while there is something else to do.
      const busy = setInterval(() => {}, 60_000)
      const channel = await ws(tls).dial('${address}', ${JSON.stringify(options)})
      await channel.send([Buffer.from('hello')])
      for await (const message of channel) {
        console.log(Buffer.from(message).toString())
        break
      }
      clearInterval(busy)
      process.on('exit', () => console.log('ended'))
      setTimeout(() => {
        console.log('still here')
        process.exit()
      }, 2000).unref()
    `)
    const channel = await arrival
    const echo = async () => {
      for await (const message of channel) await channel.send([message])
    }
    const [{ stdout }, lost] = await Promise.all([running, echo().catch((error: unknown) => error)])
    expect(lost).toMatchObject({ code: 'channel-lost' })
    return stdout
  }

  test('ends if that is in the background', async () => {
    expect(await left({ background: true })).toBe('hello\nended\n')
  })

  test('goes on otherwise', async () => {
    expect(await left({})).toBe('hello\nstill here\nended\n')
  })
})

test('sends that nobody awaits and channels that nobody reads never end the process', async () => {
  const { stdout, stderr } = await run(`
    const listener = await ws().listen('ws://127.0.0.1:0', (channel) => {
      void channel.send([new Uint8Array(1000)])
      setTimeout(() => channel.abort(new Error('the peer is gone')), 20)
      return new Promise((_, reject) => setTimeout(reject, 10, new Error('this handler fails as well')))
    })
    const channel = await ws({ maxMessageBytes: 10_000_000 }).dial(listener.address)
    for (let i = 0; i < 50; i++) void channel.send([new Uint8Array(1_000_000)])
    void channel.send([new Uint8Array(100_000_000)])
    setTimeout(async () => {
      void channel.send([new Uint8Array(1)])
      void channel.close()
      void channel.send([new Uint8Array(1)])
      channel.abort(new Error('nobody hears this'))
      await listener.close()
      console.log('alive')
    }, 300)
  `)
  expect(stderr).toBe('')
  expect(stdout).toBe('alive\n')
})

test('importing the package for browsers needs no WebSocket, and dialing without one says so', async () => {
  const browser = new URL('../src/browser.ts', import.meta.url).href
  const { stdout } = await run(`
    const { ws: inBrowsers } = await import('${browser}')
    delete globalThis.WebSocket
    const error = await inBrowsers().dial('ws://127.0.0.1:1').catch((reason) => reason)
    console.log(error.code, error.message)
  `)
  expect(stdout).toBe('peer-unreachable the browser does not dial ws://127.0.0.1:1: WebSocket is not defined\n')
})
