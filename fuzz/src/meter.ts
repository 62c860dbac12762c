import { Violation } from './target.ts'

/** Counts what is asked of the memory that JavaScript's own heap limits do not bound: buffers and typed arrays. */
export interface Meter {
  /** Starts from 0; asking for more than `allowedBytes` from here on is refused by a {@link Violation}. */
  start(allowedBytes: number): void
  /** Bytes asked for since `start`. */
  readonly bytes: number
  /** Most that was asked for between two starts, of which the first had a bound. */
  readonly mostBytes: number
  /** Set once too much was asked for, whoever caught the violation. */
  readonly overdrawn: string | undefined
  /** Gives the constructors back. */
  remove(): void
}

const kinds = [
  'ArrayBuffer',
  'SharedArrayBuffer',
  'Uint8Array',
  'Int8Array',
  'Uint8ClampedArray',
  'Uint16Array',
  'Int16Array',
  'Uint32Array',
  'Int32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
] as const

type Constructor = new (...args: unknown[]) => { readonly byteLength: number }

/**
 * Puts counting constructors in the place of the global ones. What reached for the originals before, or is written in
 * C++, is not counted; the decoders under test do neither.
 */
export function installMeter(): Meter {
  const world = globalThis as unknown as Record<(typeof kinds)[number], Constructor>
  const originals = new Map<string, Constructor>()
  let bytes = 0
  let mostBytes = 0
  let allowed = Number.POSITIVE_INFINITY
  let overdrawn: string | undefined

  function count(more: number): void {
    bytes += more
    if (bytes <= allowed) return
    overdrawn ??= `asks for ${bytes} bytes, where ${allowed} are allowed`
    throw new Violation(overdrawn)
  }

  for (const kind of kinds) {
    const original = world[kind]
    originals.set(kind, original)
    const bytesEach = (original as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1
    const counting = new Proxy(original, {
      construct(target, args: unknown[], newTarget) {
        const [first] = args
        // A view of memory that is there already.
        if (first instanceof ArrayBuffer || first instanceof SharedArrayBuffer) {
          return Reflect.construct(target, args, newTarget)
        }
        if (typeof first === 'number') count(first * bytesEach)
        else if (typeof first === 'object' && first !== null && 'length' in first)
          count(Number(first.length) * bytesEach)
        return Reflect.construct(target, args, newTarget)
      },
    })
    world[kind] = counting
    // Copies made by `slice` and `map` are constructed through the prototype.
    Object.defineProperty(original.prototype, 'constructor', { value: counting, configurable: true, writable: true })
  }
  const { alloc, allocUnsafe, concat } = Buffer
  Buffer.alloc = ((size: number, ...rest: []) => {
    count(size)
    return alloc.call(Buffer, size, ...rest)
  }) as typeof alloc
  Buffer.allocUnsafe = ((size: number) => {
    count(size)
    return allocUnsafe.call(Buffer, size)
  }) as typeof allocUnsafe
  Buffer.concat = ((list: readonly Uint8Array[], length?: number) => {
    count(length ?? list.reduce((sum, part) => sum + part.length, 0))
    return concat.call(Buffer, list, length)
  }) as typeof concat

  return {
    start(allowedBytes) {
      if (allowed !== Number.POSITIVE_INFINITY) mostBytes = Math.max(mostBytes, bytes)
      bytes = 0
      allowed = allowedBytes
      overdrawn = undefined
    },
    get overdrawn() {
      return overdrawn
    },
    get bytes() {
      return bytes
    },
    get mostBytes() {
      return mostBytes
    },
    remove() {
      for (const kind of kinds) {
        const original = originals.get(kind)!
        world[kind] = original
        Object.defineProperty(original.prototype, 'constructor', {
          value: original,
          configurable: true,
          writable: true,
        })
      }
      Object.assign(Buffer, { alloc, allocUnsafe, concat })
    },
  }
}
