import type { Coverage, Snapshot } from './coverage.ts'
import { damage } from './damage.ts'
import { judge } from './judge.ts'
import type { Meter } from './meter.ts'
import type { Random } from './random.ts'
import type { Target } from './target.ts'

export interface EngineOptions {
  readonly target: Target
  readonly random: Random
  readonly meter: Meter
  readonly coverage: Coverage
  /** Told of every input before the decoder has it: whoever watches can tell what hangs. */
  readonly onInput: (input: Uint8Array) => void
  readonly onFinding: (input: Uint8Array, problem: string) => void
  /** Told of an input that runs code that no other did. */
  readonly onCovering: (input: Uint8Array) => void
}

export interface EngineStatistics {
  inputs: number
  accepted: number
  /** Inputs that others are made of. */
  corpus: number
  /** Characters of source code that ran. */
  characters: number
  slowestMs: number
  /** Most that an input made its decoder ask for in buffers and typed arrays, bytes. */
  mostBytes: number
}

export const noStatistics: EngineStatistics = {
  ...{ inputs: 0, accepted: 0, corpus: 0 },
  ...{ characters: 0, slowestMs: 0, mostBytes: 0 },
}

/** Inputs are fed for so many times as long as it takes to look at the coverage. */
const batchFactor = 8

/** Feeds one decoder, and keeps what gets it further. */
export class Engine {
  readonly statistics: EngineStatistics = { ...noStatistics }
  private readonly options: EngineOptions
  private readonly corpus: Uint8Array[] = []
  private snapshotMs = 1

  constructor(options: EngineOptions) {
    this.options = options
  }

  /** Takes what is known, the shortest first, and keeps those that run code which the ones before did not. */
  async start(inputs: readonly Uint8Array[]): Promise<void> {
    for (const input of [...inputs].sort((a, b) => a.length - b.length)) {
      await this.feed(input)
      this.keepIfNew(input, this.options.coverage.snapshot())
    }
    if (this.corpus.length === 0) this.keep(new Uint8Array(0))
  }

  /** Goes on until `maxInputs` were fed or `ms` have passed. */
  async run(ms: number, maxInputs: number): Promise<void> {
    const { coverage } = this.options
    const end = performance.now() + ms
    const last = this.statistics.inputs + maxInputs
    while (performance.now() < end && this.statistics.inputs < last) {
      const batch: Uint8Array[] = []
      const batchEnd = performance.now() + batchFactor * this.snapshotMs
      while (batch.length === 0 || (performance.now() < batchEnd && this.statistics.inputs < last)) {
        const input = this.next()
        batch.push(input)
        this.statistics.inputs++
        if (await this.feed(input)) this.statistics.accepted++
      }
      const before = performance.now()
      const snapshot = coverage.snapshot()
      const isNew = coverage.isNew(snapshot)
      this.snapshotMs = performance.now() - before
      if (!isNew) continue
      await this.locate(batch)
      // What does not show again, a first use of something for example, is nobody's.
      coverage.merge(snapshot)
      this.statistics.characters = coverage.characters
    }
  }

  private next(): Uint8Array {
    const { target, random } = this.options
    // Recent ones are less explored.
    const recent = Math.min(this.corpus.length, 16)
    const base = random.once(3) ? this.corpus[this.corpus.length - 1 - random.below(recent)]! : random.pick(this.corpus)
    if (target.rewrite === undefined || !random.once(2)) return damage(base, this.corpus, target, random)
    const rewritten = target.rewrite(base, random)
    return rewritten.length > target.maxInputBytes ? rewritten.subarray(0, target.maxInputBytes) : rewritten
  }

  private async feed(input: Uint8Array): Promise<boolean> {
    const { target, meter, onInput, onFinding } = this.options
    onInput(input)
    const before = performance.now()
    const judging = judge(target, input, meter)
    const { accepted, problem } = judging instanceof Promise ? await judging : judging
    this.statistics.slowestMs = Math.max(this.statistics.slowestMs, performance.now() - before)
    this.statistics.mostBytes = meter.mostBytes
    if (problem !== undefined) onFinding(input, problem)
    return accepted
  }

  /** Finds the inputs of a batch that run new code, by halves. */
  private async locate(batch: readonly Uint8Array[]): Promise<void> {
    const { coverage } = this.options
    for (const input of batch) await this.feed(input)
    const snapshot = coverage.snapshot()
    if (!coverage.isNew(snapshot)) return
    const [only, ...others] = batch
    if (only !== undefined && others.length === 0) return this.keepIfNew(only, snapshot)
    const middle = batch.length >> 1
    await this.locate(batch.slice(0, middle))
    await this.locate(batch.slice(middle))
  }

  private keepIfNew(input: Uint8Array, snapshot: Snapshot): void {
    const { coverage, onCovering } = this.options
    if (!coverage.isNew(snapshot)) return
    coverage.merge(snapshot)
    this.statistics.characters = coverage.characters
    this.keep(input)
    onCovering(input)
  }

  private keep(input: Uint8Array): void {
    this.corpus.push(input.slice())
    this.statistics.corpus = this.corpus.length
  }
}
