import { malformed, quoted, unsupported } from './errors.ts'
import type { OnnxModel, OnnxNode } from './model.ts'
import type { ModelSource } from './source.ts'
import { float32Of, int64Of, WireReader } from './wire.ts'

/**
 * A node's attributes as plain values. Each function returns `fallback` if the node does not have the attribute.
 *
 * @throws {AssayError} `model-malformed` if the attribute is of another kind, or a number beyond 2⁵³.
 */
export class Attributes {
  readonly #source: ModelSource
  readonly #node: OnnxNode

  constructor({ source }: Pick<OnnxModel, 'source'>, node: OnnxNode) {
    this.#source = source
    this.#node = node
  }

  int(name: string, fallback: number): number {
    const attribute = this.#node.attributes.get(name)
    if (attribute === undefined) return fallback
    if (attribute.kind !== 'int') throw this.#wrongKind(name, 'int', attribute.kind)
    return this.#safe(name, attribute.value)
  }

  float(name: string, fallback: number): number {
    const attribute = this.#node.attributes.get(name)
    if (attribute === undefined) return fallback
    if (attribute.kind !== 'float') throw this.#wrongKind(name, 'float', attribute.kind)
    return attribute.value
  }

  string(name: string, fallback: string): string {
    const attribute = this.#node.attributes.get(name)
    if (attribute === undefined) return fallback
    if (attribute.kind !== 'string') throw this.#wrongKind(name, 'string', attribute.kind)
    const { offset, length } = attribute.value
    if (length > maxStringBytes)
      throw unsupported(this.#source, `attribute ${quoted(name)} has ${length} bytes of text`)
    return new TextDecoder().decode(this.#source.view(offset, length))
  }

  /** At most {@link maxListElements}. */
  ints<T>(name: string, fallback: T): readonly number[] | T {
    const attribute = this.#node.attributes.get(name)
    if (attribute === undefined) return fallback
    if (attribute.kind !== 'ints') throw this.#wrongKind(name, 'ints', attribute.kind)
    return this.#list(name, attribute.message, 8, 'varint', (number) => this.#safe(name, int64Of(number)))
  }

  /** At most {@link maxListElements}. */
  floats<T>(name: string, fallback: T): readonly number[] | T {
    const attribute = this.#node.attributes.get(name)
    if (attribute === undefined) return fallback
    if (attribute.kind !== 'floats') throw this.#wrongKind(name, 'floats', attribute.kind)
    return this.#list(name, attribute.message, 7, 'fixed32', float32Of)
  }

  #list(
    name: string,
    message: Parameters<WireReader['fields']>[0],
    fieldNumber: number,
    type: 'varint' | 'fixed32',
    decode: (number: { readonly low: number; readonly high: number }) => number,
  ): number[] {
    const reader = new WireReader(this.#source)
    const list: number[] = []
    for (const field of reader.fields(message)) {
      if (field.number !== fieldNumber) continue
      for (const number of reader.numbers(field, type)) {
        if (list.length === maxListElements) {
          throw unsupported(this.#source, `attribute ${quoted(name)} has more than ${maxListElements} elements`)
        }
        list.push(decode(number))
      }
    }
    return list
  }

  #safe(name: string, value: bigint): number {
    const number = Number(value)
    if (Number.isSafeInteger(number)) return number
    throw malformed(
      this.#source,
      `attribute ${quoted(name)} of ${this.#node.opType} is ${value}, expected less than 2⁵³`,
    )
  }

  #wrongKind(name: string, expected: string, found: string): Error {
    return malformed(
      this.#source,
      `attribute ${quoted(name)} of ${this.#node.opType} is of kind ${found}, not ${expected}`,
    )
  }
}

/** Elements of a list that {@link Attributes} gives. */
export const maxListElements = 1_000_000

/** Bytes of a text that {@link Attributes} gives. */
export const maxStringBytes = 1_048_576
