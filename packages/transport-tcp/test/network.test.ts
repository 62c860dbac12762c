import { networkInterfaces } from 'node:os'
import { expect, onTestFinished, test } from 'vitest'
import { tcp } from '../src/index.ts'

const hasIPv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'))

test.each([
  ['tcp://127.0.0.1:0', /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/],
  ['tcp://localhost:0', /^tcp:\/\/localhost:[1-9]\d*$/],
  ['tcp://0.0.0.0:0', /^tcp:\/\/0\.0\.0\.0:[1-9]\d*$/],
  ['tcp://[::1]:0', /^tcp:\/\/\[::1\]:[1-9]\d*$/],
  ['tcp://[::]:0', /^tcp:\/\/\[::\]:[1-9]\d*$/],
])('%s listens on a port that can be dialed', async (address, expected) => {
  const { skip } = expect.getState() && { skip: address.includes('[') && !hasIPv6 }
  if (skip) return
  let peer = ''
  const listener = await tcp().listen(address, async (channel) => {
    peer = channel.peer
    for await (const message of channel) await channel.send([message])
    await channel.close()
  })
  onTestFinished(() => listener.close())
  expect(listener.address).toMatch(expected)
  const channel = await tcp().dial(listener.address)
  expect(channel.peer).toBe(listener.address)
  await channel.send([Uint8Array.of(1, 2, 3)])
  const { value } = await channel[Symbol.asyncIterator]().next()
  expect(value).toEqual(Uint8Array.of(1, 2, 3))
  expect(peer).toMatch(/^tcp:\/\/(127\.0\.0\.1|\[::1\]|\[::ffff:127\.0\.0\.1\]):\d+$/)
  await channel.close()
})

test('port 0 cannot be dialed', async () => {
  await expect(tcp().dial('tcp://127.0.0.1:0')).rejects.toMatchObject({ code: 'address-invalid' })
})

test('an address of another machine cannot be listened on', async () => {
  await expect(tcp().listen('tcp://192.0.2.1:0', () => {})).rejects.toMatchObject({ code: 'address-unavailable' })
  await expect(tcp().listen('tcp://host.invalid:0', () => {})).rejects.toMatchObject({ code: 'address-unavailable' })
})

test('a handler that fails is reported, whichever way it does', async () => {
  const reported: [string, string][] = []
  const transport = tcp({ onError: (error, peer) => reported.push([error.message, peer]) })
  let handler: () => unknown = () => {}
  const listener = await transport.listen('tcp://127.0.0.1:0', () => handler())
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
    const channel = await transport.dial(listener.address)
    await expect(channel[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'channel-lost' })
  }
  expect(reported.map(([message]) => message)).toEqual(['thrown', 'rejected', 'onChannel threw not even an error'])
  for (const [, peer] of reported) expect(peer).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/)
})
