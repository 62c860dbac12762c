import { closeSync, openSync, readSync, writeSync } from 'node:fs'

const headBytes = 8

/**
 * A file in which a process notes what it is about to do, for whoever finds it hanging or dead: a counter and the length
 * of the input (4 bytes each), then the input.
 */
export class WatchFile {
  private readonly file: number
  private readonly buffer: Buffer
  private begun = 0

  /** @param maxInputBytes - Longer inputs are noted as far as they go. */
  constructor(path: string, maxInputBytes: number) {
    this.file = openSync(path, 'w+')
    this.buffer = Buffer.alloc(headBytes + maxInputBytes)
  }

  note(input: Uint8Array): void {
    const noted = input.subarray(0, this.buffer.length - headBytes)
    this.begun = (this.begun + 1) >>> 0
    this.buffer.writeUInt32LE(this.begun, 0)
    this.buffer.writeUInt32LE(noted.length, 4)
    this.buffer.set(noted, headBytes)
    writeSync(this.file, this.buffer, 0, headBytes + noted.length, 0)
  }

  close(): void {
    closeSync(this.file)
  }
}

/** What another process noted last. */
export function lastNoted(path: string): { readonly begun: number; readonly input: Uint8Array } {
  const file = openSync(path, 'r')
  try {
    const head = Buffer.alloc(headBytes)
    if (readSync(file, head, 0, headBytes, 0) < headBytes) return { begun: 0, input: new Uint8Array(0) }
    const input = new Uint8Array(head.readUInt32LE(4))
    readSync(file, input, 0, input.length, headBytes)
    return { begun: head.readUInt32LE(0), input }
  } finally {
    closeSync(file)
  }
}
