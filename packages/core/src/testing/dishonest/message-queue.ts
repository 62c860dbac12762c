/** Messages for one reader, in order, until the queue ends or fails. */
export interface MessageQueue extends AsyncIterable<Uint8Array> {
  push(message: Uint8Array): void
  end(): void
  fail(error: unknown): void
}

export function messageQueue(): MessageQueue {
  const waiting: Uint8Array[] = []
  let over: { readonly error?: unknown } | undefined
  let wake: (() => void) | undefined

  async function* iterate(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const message = waiting.shift()
      if (message !== undefined) yield message
      else if (over === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      } else if ('error' in over) throw over.error
      else return
    }
  }

  function finish(state: { readonly error?: unknown }): void {
    over ??= state
    wake?.()
  }

  return {
    push(message) {
      waiting.push(message)
      wake?.()
    },
    end: () => finish({}),
    fail: (error) => finish({ error }),
    [Symbol.asyncIterator]: iterate,
  }
}
