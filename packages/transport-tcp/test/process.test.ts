import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const entry = new URL('../src/index.ts', import.meta.url).href

/** Runs a program of its own until it exits by itself. */
async function run(program: string): Promise<{ stdout: string; stderr: string }> {
  const source = `import { tcp } from '${entry}'\n${program}`
  const flags = ['--conditions=@tensor-assay/source', '--import=tsx', '--input-type=module', '--eval', source]
  // Far below the default deadlines, so that a timer that kept the process alive would show.
  return promisify(execFile)(process.execPath, flags, { timeout: 20_000 })
}

test('a process ends by itself once its channels and listeners are closed', async () => {
  const { stdout } = await run(`
    const listener = await tcp({ closeTimeoutMs: 600_000 }).listen('tcp://127.0.0.1:0', async (channel) => {
      for await (const message of channel) await channel.send([message])
      await channel.close()
    })
    const transport = tcp({ handshakeTimeoutMs: 600_000, idleTimeoutMs: 600_000, closeTimeoutMs: 600_000 })
    const channel = await transport.dial(listener.address)
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

test('a deadline alone does not keep the process alive', async () => {
  await run(`
    const { Deadline } = await import('@tensor-assay/core')
    new Deadline(600_000, () => {}).start()
  `)
})

test('an open listener keeps the process alive', async () => {
  const { stdout } = await run(`
    const listener = await tcp().listen('tcp://127.0.0.1:0', () => {})
    setTimeout(() => {
      console.log('still here')
      listener.close()
    }, 300).unref()
  `)
  expect(stdout).toBe('still here\n')
})

test('sends that nobody awaits and channels that nobody reads never end the process', async () => {
  const { stdout, stderr } = await run(`
    const listener = await tcp().listen('tcp://127.0.0.1:0', (channel) => {
      void channel.send([new Uint8Array(1000)])
      setTimeout(() => channel.abort(new Error('the peer is gone')), 20)
      throw new Error('this handler fails as well')
    })
    const channel = await tcp({ maxMessageBytes: 10_000_000 }).dial(listener.address)
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

test('a channel in the background does not keep the process alive', async () => {
  const { stdout } = await run(`
    import { createServer } from 'node:net'
    import { fork } from 'node:child_process'
    const listener = await tcp().listen('tcp://127.0.0.1:0', () => {})
    const channel = await tcp().dial(listener.address, { background: true })
    await listener.close()
    process.on('exit', () => console.log('ended'))
    // The accepted end would keep the process alive, were it not given up.
    for (const handle of process._getActiveHandles()) if (handle.remotePort && handle !== channel) handle.unref?.()
    setTimeout(() => { console.log('still there'); process.exit(1) }, 10_000).unref()
  `)
  expect(stdout).toBe('ended\n')
})
