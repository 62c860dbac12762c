import { networkInterfaces } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { ws } from '../src/index.ts'

const hasIPv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'))
if (!hasIPv6) console.log('The tests of IPv6 are skipped: this machine has no ::1.')

const addresses: [string, RegExp][] = [
  ['ws://127.0.0.1:0', /^ws:\/\/127\.0\.0\.1:[1-9]\d*$/],
  ['ws://localhost:0/audit', /^ws:\/\/localhost:[1-9]\d*\/audit$/],
  ['ws://0.0.0.0:0', /^ws:\/\/0\.0\.0\.0:[1-9]\d*$/],
  ['ws://[::1]:0/', /^ws:\/\/\[::1\]:[1-9]\d*$/],
  ['ws://[::]:0/audit', /^ws:\/\/\[::\]:[1-9]\d*\/audit$/],
]

for (const [address, expected] of addresses) {
  test.skipIf(address.includes('[') && !hasIPv6)(`${address} listens on a port that can be dialed`, async () => {
    let peer = ''
    const listener = await ws().listen(address, async (channel) => {
      peer = channel.peer
      for await (const message of channel) await channel.send([message])
      await channel.close()
    })
    onTestFinished(() => listener.close())
    expect(listener.address).toMatch(expected)
    const channel = await ws().dial(listener.address)
    expect(channel.peer).toBe(listener.address)
    await channel.send([Uint8Array.of(1, 2, 3)])
    const { value } = await channel[Symbol.asyncIterator]().next()
    expect(value).toEqual(Uint8Array.of(1, 2, 3))
    expect(peer).toMatch(/^ws:\/\/(127\.0\.0\.1|\[::1\]|\[::ffff:127\.0\.0\.1\]):\d+$/)
    await channel.close()
  })
}

test('a channel outlives the deadline of its handshake, on both sides', async () => {
  const transport = ws({ handshakeTimeoutMs: 1000 })
  const listener = await transport.listen('ws://127.0.0.1:0', async (channel) => {
    for await (const message of channel) await channel.send([message])
    await channel.close()
  })
  onTestFinished(() => listener.close())
  const channel = await transport.dial(listener.address)
  await setTimeout(1500)
  await channel.send([Uint8Array.of(1)])
  expect((await channel[Symbol.asyncIterator]().next()).value).toEqual(Uint8Array.of(1))
  await channel.close()
})

test('an address of another machine cannot be listened on', async () => {
  await expect(ws().listen('ws://192.0.2.1:0', () => {})).rejects.toMatchObject({ code: 'address-unavailable' })
  await expect(ws().listen('ws://host.invalid:0', () => {})).rejects.toMatchObject({ code: 'address-unavailable' })
})

test('a handler that fails is reported, whichever way it does', async () => {
  const reported: [string, string][] = []
  const transport = ws({ onError: (error, peer) => reported.push([error.message, peer]) })
  let handler: () => unknown = () => {}
  const listener = await transport.listen('ws://127.0.0.1:0', () => handler())
  onTestFinished(() => listener.close())
  for (const failing of [
    () => {
      throw new Error('thrown')
    },
    async () => {
      throw new Error('rejected')
    },
    () => Promise.reject('not even an error'),
  ]) {
    handler = failing
    // The hello of a channel that is aborted at once may not arrive: then it is the dialing that fails.
    const dialed = await transport.dial(listener.address).catch((error) => error)
    if (dialed instanceof Error) expect(dialed).toMatchObject({ code: 'peer-unreachable' })
    else await expect(dialed[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'channel-lost' })
  }
  expect(reported.map(([message]) => message)).toEqual(['thrown', 'rejected', 'onChannel threw not even an error'])
  for (const [, peer] of reported) expect(peer).toMatch(/^ws:\/\/127\.0\.0\.1:\d+$/)
})
