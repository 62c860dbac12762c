import { existsSync } from 'node:fs'
import { AssayError, type AssayErrorCode, type Channel, type Transport } from '@tensor-assay/core'
import { type Browser, chromium, type Page } from 'playwright-core'
import type { Command, Outcome } from './page.ts'

export const executablePath = '/usr/bin/chromium'

/** Why there is nothing to test with. */
export const noChromium = existsSync(executablePath) ? undefined : `there is no ${executablePath}`

export async function launch(): Promise<Browser> {
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] })
}

/** Channels that live in a page, used from here. */
export class Remote {
  readonly #page: Page
  readonly #errors: Error[] = []
  readonly #channels = new Map<Channel, number>()
  #ids = 0
  /** What the page itself reported, unhandled rejections included. */
  readonly complaints: Error[] = []

  constructor(page: Page) {
    this.#page = page
    page.on('pageerror', (error) => this.complaints.push(error))
  }

  /** Dials in the page. What a signal was aborted with stays here. */
  dialer(options: object): Pick<Transport, 'dial'> {
    return {
      dial: async (address, { signal, handshakeTimeoutMs } = {}) => {
        const id = ++this.#ids
        const settings = { ...options, ...(handshakeTimeoutMs !== undefined && { handshakeTimeoutMs }) }
        const made = await this.run('dial', id, address, settings, this.#signal(signal))
        const channel = this.#channel(id, made as Pick<Channel, 'peer' | 'maxMessageBytes'>)
        this.#channels.set(channel, id)
        return channel
      },
    }
  }

  /** What commands call a channel. */
  idOf(channel: Channel): number {
    return this.#channels.get(channel)!
  }

  async run(command: Command, ...args: unknown[]): Promise<unknown> {
    const call = ([command, ...args]: [Command, ...unknown[]]) =>
      (globalThis as unknown as { run(...args: unknown[]): Promise<Outcome> }).run(command, ...args)
    const { value, error } = await this.#page.evaluate(call, [command, ...args] as [Command, ...unknown[]])
    if (error === undefined) return value
    if (error.tag !== undefined) throw this.#errors[error.tag]
    if (error.code !== undefined) throw new AssayError(error.code as AssayErrorCode, error.message)
    throw error.slip ? new TypeError(error.message) : new Error(error.message)
  }

  #channel(id: number, { peer, maxMessageBytes }: Pick<Channel, 'peer' | 'maxMessageBytes'>): Channel {
    const quietly = <T>(promise: Promise<T>): Promise<T> => {
      promise.catch(() => {})
      return promise
    }
    return {
      peer,
      maxMessageBytes,
      send: (message) =>
        quietly(
          this.run(
            'send',
            id,
            message.map((part) => Buffer.from(part).toString('base64')),
          ) as Promise<void>,
        ),
      close: async ({ signal } = {}) => {
        await this.run('close', id, this.#signal(signal))
      },
      abort: (error) => void quietly(this.run('abort', id, error.message, this.#errors.push(error) - 1)),
      [Symbol.asyncIterator]: () => {
        const iterating = quietly(this.run('iterate', id))
        return {
          next: async () => {
            await iterating
            const text = (await this.run('next', id)) as string | null
            return text === null
              ? { done: true, value: undefined }
              : { done: false, value: new Uint8Array(Buffer.from(text, 'base64')) }
          },
          return: async () => {
            await this.run('leave', id)
            return { done: true, value: undefined }
          },
        }
      },
    }
  }

  /** A signal of the page that follows one of here. */
  #signal(signal: AbortSignal | undefined): number {
    const id = ++this.#ids
    const follow = () => void this.run('signal', id)
    if (signal?.aborted) follow()
    else signal?.addEventListener('abort', follow)
    return id
  }
}
