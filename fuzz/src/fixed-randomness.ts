/**
 * Runs something with every random key, nonce and salt the same: what was recorded before can then be played again, and an
 * input that fails fails always.
 */
export async function withFixedRandomness<T>(run: () => T | Promise<T>): Promise<T> {
  const own = Object.getOwnPropertyDescriptor(crypto, 'getRandomValues')
  Object.defineProperty(crypto, 'getRandomValues', {
    configurable: true,
    value: <View extends Uint8Array>(view: View): View => view.fill(7),
  })
  try {
    return await run()
  } finally {
    if (own === undefined) Reflect.deleteProperty(crypto, 'getRandomValues')
    else Object.defineProperty(crypto, 'getRandomValues', own)
  }
}
