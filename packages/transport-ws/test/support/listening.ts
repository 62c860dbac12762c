import { EventEmitter, once } from 'node:events'
import type { Channel } from '@tensor-assay/core'
import { expect, onTestFinished } from 'vitest'
import { ws } from '../../src/index.ts'
import type { WsListenOptions, WsOptions } from '../../src/options.ts'
import { greeted, type RawPeer } from './raw.ts'

export const hello = new TextEncoder().encode('hello')

export interface ListeningOptions extends WsOptions {
  readonly address?: string
  readonly server?: WsListenOptions['server']
}

/** A listener of the transport, the channels that it was given and the errors that it reported. */
export async function listening({ address = 'ws://127.0.0.1:0', server, ...options }: ListeningOptions = {}) {
  const channels: Channel[] = []
  const errors: Error[] = []
  const peers: string[] = []
  const arrivals = new EventEmitter()
  const transport = ws({
    ...options,
    onError(error, peer) {
      errors.push(error)
      peers.push(peer)
    },
  })
  const onChannel = (channel: Channel) => {
    channels.push(channel)
    arrivals.emit('channel', channel)
  }
  const listener = await transport.listen(address, onChannel, server && { server })
  onTestFinished(async () => {
    for (const channel of channels) channel.abort(new Error('the test is over'))
    await listener.close()
  })
  const nextChannel = async (): Promise<Channel> => (await once(arrivals, 'channel'))[0]
  /** Proves that the listener goes on: another peer gets in, and a message through. */
  const stillServes = async () => {
    const arrival = nextChannel()
    const channel = await transport.dial(listener.address)
    onTestFinished(() => channel.abort(new Error('the test is over')))
    await channel.send([hello])
    for await (const message of await arrival) {
      expect(message).toEqual(hello)
      break
    }
  }
  return { transport, listener, address: listener.address, channels, errors, peers, nextChannel, stillServes }
}

/** The channel that a raw peer got, with its handshake done. */
export async function accepted(options: WsOptions = {}): Promise<{ peer: RawPeer; channel: Channel }> {
  const { address, nextChannel } = await listening(options)
  const arrival = nextChannel()
  const peer = await greeted(address)
  return { peer, channel: await arrival }
}

export async function drain(channel: Channel): Promise<Uint8Array[]> {
  const messages: Uint8Array[] = []
  for await (const message of channel) messages.push(message)
  return messages
}
