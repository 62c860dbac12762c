import { malformed, unsupported } from './errors.ts'
import { maxModelFields, maxModelItems, maxTextBytes } from './limits.ts'
import type { ByteRange, ModelSource } from './source.ts'

/**
 * One field of a protobuf message.
 *
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export interface WireField {
  readonly number: number
  /** Variable-length integer, eight bytes, delimited (text, bytes, a message, packed numbers), or four bytes. */
  readonly type: 'varint' | 'fixed64' | 'bytes' | 'fixed32'
  /** Lower and upper 32 bits of a number. */
  readonly low: number
  readonly high: number
  /** The content of a delimited field; the field's own bytes otherwise. */
  readonly range: ByteRange
}

/** Bytes looked at in one piece. Most fields of a model's nodes are shorter. */
const windowBytes = 512

/**
 * Walks the messages of one model file and never reads more of it than the tags and numbers it passes.
 *
 * Everything here may come from a stranger: lengths are checked against the enclosing message, every field that is passed
 * counts towards {@link maxModelFields}, and everything that is kept towards {@link maxModelItems}.
 */
export class WireReader {
  readonly source: ModelSource
  #fields = 0
  #items = 0
  #window: Uint8Array = new Uint8Array(0)
  #windowOffset = 0

  constructor(source: ModelSource) {
    this.source = source
  }

  /**
   * The fields of a message, in order. Several ranges are pieces of one message: that is how protobuf merges a message
   * field that occurs twice.
   *
   * @throws {AssayError} `model-malformed`, or `model-unsupported` if the model has too many fields.
   */
  *fields(ranges: readonly ByteRange[]): Generator<WireField, void> {
    for (const { offset, length } of ranges) {
      const end = offset + length
      let at = offset
      while (at < end) {
        this.#pass()
        const tag = this.#varint(at, end)
        const number = Math.floor(tag.low / 8) + tag.high * 2 ** 29
        if (number < 1 || number >= 2 ** 29) {
          throw malformed(this.source, `at byte ${at} there is no field of a message`)
        }
        const field = this.#field(number, tag.low & 7, tag.end, end)
        yield field
        at = field.range.offset + field.range.length
      }
    }
  }

  /** Numbers of a repeated field, of which `field` is one or packs several. */
  *numbers(
    field: WireField,
    type: 'varint' | 'fixed64' | 'fixed32',
  ): Generator<{ readonly low: number; readonly high: number }, void> {
    if (field.type === type) {
      yield field
      return
    }
    const { offset, length } = this.content(field)
    const end = offset + length
    for (let at = offset; at < end; ) {
      this.#pass()
      const number = this.#field(field.number, type === 'varint' ? 0 : type === 'fixed64' ? 1 : 5, at, end)
      yield number
      at = number.range.offset + number.range.length
    }
  }

  /** Counts something that is going to be kept. @throws {AssayError} `model-unsupported` */
  keep(): void {
    if (++this.#items > maxModelItems) throw unsupported(this.source, `it has more than ${maxModelItems} parts`)
  }

  /** The range of a delimited field. @throws {AssayError} `model-malformed` if it is a number. */
  content(field: WireField): ByteRange {
    if (field.type !== 'bytes') throw this.#wrongType(field, 'delimited content')
    return field.range
  }

  /** @throws {AssayError} `model-malformed`, or `model-unsupported` for a text of over {@link maxTextBytes}. */
  text(field: WireField): string {
    const { offset, length } = this.content(field)
    if (length > maxTextBytes) {
      throw unsupported(this.source, `a name of ${length} bytes at byte ${offset} is over the limit of ${maxTextBytes}`)
    }
    try {
      return utf8.decode(this.source.view(offset, length))
    } catch {
      throw malformed(this.source, `a name at byte ${offset} is not UTF-8`)
    }
  }

  int64(field: WireField): bigint {
    if (field.type !== 'varint') throw this.#wrongType(field, 'an integer')
    return int64Of(field)
  }

  /** An integer that JavaScript holds exactly. @throws {AssayError} `model-malformed` */
  integer(field: WireField): number {
    const value = Number(this.int64(field))
    if (!Number.isSafeInteger(value))
      throw malformed(this.source, `${value} at byte ${field.range.offset} is too large`)
    return value
  }

  float(field: WireField): number {
    if (field.type !== 'fixed32') throw this.#wrongType(field, 'a float')
    return float32Of(field)
  }

  #pass(): void {
    if (++this.#fields > maxModelFields) throw unsupported(this.source, `it has more than ${maxModelFields} fields`)
  }

  #wrongType(field: WireField, expected: string): Error {
    const { number, type, range } = field
    return malformed(this.source, `expected ${expected} in field ${number} at byte ${range.offset}, found ${type}`)
  }

  #field(number: number, wireType: number, at: number, end: number): WireField {
    switch (wireType) {
      case 0: {
        const { low, high, end: after } = this.#varint(at, end)
        return { number, type: 'varint', low, high, range: { offset: at, length: after - at } }
      }
      case 1:
        return this.#fixed(number, 'fixed64', at, 8, end)
      case 2: {
        const { low, high, end: start } = this.#varint(at, end)
        const length = high * 2 ** 32 + low
        if (length > end - start) {
          throw malformed(
            this.source,
            `field ${number} at byte ${start} claims ${length} bytes, but ${end - start} are left; copy or download it again`,
          )
        }
        return { number, type: 'bytes', low: 0, high: 0, range: { offset: start, length } }
      }
      case 5:
        return this.#fixed(number, 'fixed32', at, 4, end)
      default:
        throw malformed(this.source, `field ${number} at byte ${at} has wire type ${wireType}, which ONNX does not use`)
    }
  }

  #fixed(number: number, type: 'fixed64' | 'fixed32', at: number, length: 4 | 8, end: number): WireField {
    if (length > end - at) throw malformed(this.source, `field ${number} is cut off at byte ${end}`)
    const bytes = this.source.view(at, length)
    const view = new DataView(bytes.buffer, bytes.byteOffset, length)
    const high = length === 8 ? view.getUint32(4, true) : 0
    return { number, type, low: view.getUint32(0, true), high, range: { offset: at, length } }
  }

  #varint(at: number, end: number): { low: number; high: number; end: number } {
    let low = 0
    let high = 0
    for (let i = 0; i < 10; i++) {
      if (at + i >= end) throw malformed(this.source, `a number is cut off at byte ${end}`)
      const byte = this.#byte(at + i)
      const bits = byte & 0x7f
      if (i < 4) low |= bits << (7 * i)
      else if (i === 4) {
        low |= bits << 28
        high = bits >>> 4
      } else if (i < 9) high |= bits << (7 * i - 32)
      else {
        if (byte > 1) break
        high |= bits << 31
      }
      if (byte < 0x80) return { low: low >>> 0, high: high >>> 0, end: at + i + 1 }
    }
    throw malformed(this.source, `a number at byte ${at} has more than 64 bits`)
  }

  #byte(offset: number): number {
    const inWindow = offset - this.#windowOffset
    if (inWindow >= 0 && inWindow < this.#window.length) return this.#window[inWindow]!
    this.#window = this.source.view(offset, Math.min(windowBytes, this.source.byteLength - offset))
    this.#windowOffset = offset
    return this.#window[0]!
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const scratch = new DataView(new ArrayBuffer(8))

export function int64Of({ low, high }: { readonly low: number; readonly high: number }): bigint {
  scratch.setUint32(0, low, true)
  scratch.setUint32(4, high, true)
  return scratch.getBigInt64(0, true)
}

export function float32Of({ low }: { readonly low: number }): number {
  scratch.setUint32(0, low, true)
  return scratch.getFloat32(0, true)
}
