import { deriveSeed, type RandomStream, randomStream } from '@tensor-assay/core'

/** A reproducible stream for each label and list of numbers. */
export function stream(label: string, ...numbers: readonly number[]): RandomStream {
  return randomStream(deriveSeed(new Uint8Array(32), label, ...numbers))
}

/** One of the values, each as likely as the others. */
export function pick<T>(random: RandomStream, values: readonly T[]): T {
  return values[random.below(values.length)]!
}

/** Roughly normal: the sum of four uniform values, scaled to variance 1. */
export function normal(random: RandomStream): number {
  const sum = random.signedUnit() + random.signedUnit() + random.signedUnit() + random.signedUnit()
  return sum * (Math.sqrt(3) / 2)
}

/**
 * Runs `body` while both sides of every session draw their keys, nonces and salts from `seed`, so that whole audits can
 * be repeated. Sessions must follow one another: those that run at once take their numbers in the order of their turns.
 */
export async function withSeededSessions<T>(seed: number, body: () => Promise<T>): Promise<T> {
  const random = stream('sessions', seed)
  const getRandomValues = <A extends ArrayBufferView | null>(array: A): A => {
    if (array === null) return array
    const bytes = new Uint8Array(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength)
    bytes.set(random.bytes(bytes.length))
    return array
  }
  // An own property hides the one of the prototype, which is back once it is deleted.
  Object.defineProperty(crypto, 'getRandomValues', { value: getRandomValues, configurable: true })
  try {
    return await body()
  } finally {
    Reflect.deleteProperty(crypto, 'getRandomValues')
  }
}
