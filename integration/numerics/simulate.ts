import type { NumericEpilogue } from '../../packages/core/src/numerics/epilogue.ts'
import type { NumericProfile } from '../../packages/core/src/numerics/profile.ts'
import { projectMatrix } from '../../packages/core/src/numerics/project.ts'
import { checkRow, type OpenedRow } from '../../packages/core/src/numerics/row.ts'
import { type JudgedRow, judgeTogether } from '../../packages/core/src/numerics/together.ts'
import { drawWithoutReplacement } from '../../packages/core/src/random/draw.ts'
import { randomStream } from '../../packages/core/src/random/stream.ts'
import type { Family } from '../../packages/core/test/numerics/families.ts'
import { preparedColumns } from '../../packages/core/test/numerics/families.ts'
import { type TestRandom, testRandom } from '../../packages/core/test/numerics/random.ts'
import type { Cheat } from './cheats.ts'

/** Arithmetic that is simulated: a profile, the operands it takes, an engine and the format of its results. */
export interface Subject {
  readonly name: string
  readonly profile: NumericProfile
  readonly engine: string
  readonly operand: (value: number) => number
  readonly dot: (a: Float64Array, columns: Float32Array, offset: number) => number
  readonly output: (value: number) => number
  readonly epilogue: NumericEpilogue
  readonly flipBit: (value: number, random: TestRandom) => number
}

export interface Shape {
  readonly k: number
  readonly n: number
  /** Rows sampled in a session. */
  readonly rows: number
  readonly sessions: number
}

/** How often a cheat was caught. */
export interface Power {
  /** Entries that were checked each by itself: of a sparse cheat, those that are wrong. */
  readonly entries: number
  readonly entriesCaught: number
  /** Rows with 64 entries, as many of the smallest where results have 16 bits, and two vectors. */
  readonly rows: number
  readonly rowsCaught: number
  /** Sessions of one product, in which a row was caught or all of them together. */
  readonly sessions: number
  readonly sessionsCaught: number
}

const [policyEntries, policyVectors] = [64, 2]
/** Entries of a row that are checked by themselves; they differ in nothing, so some are enough. */
const loneEntries = 8

/** Sessions against one cheat, judged as the default policy does it. */
export function simulate(subject: Subject, family: Family, cheat: Cheat, shape: Shape, seed: number): Power {
  const random = testRandom(seed)
  const { k, n, rows } = shape
  const power = noPower()
  for (let session = 0; session < shape.sessions; session++) {
    const columns = family.make(random, k, n).columns.map(subject.operand)
    const b = preparedColumns(columns, k, n)
    const weights = cheat.weights?.({ k, n, columns }, random) ?? columns
    const multiplied = cheat.operand === undefined ? weights : weights.map(cheat.operand)
    let other: Float64Array = new Float64Array(n)
    const claims = Array.from({ length: rows }, (): Claim => {
      const a = family.make(random, k, 1).a.map(subject.operand)
      const left = cheat.operand === undefined ? a : a.map(cheat.operand)
      const computed = Float64Array.from({ length: n }, (_, j) => subject.dot(left, multiplied, j * k))
      const claimed = cheat.result?.(computed, { random, other, flipBit: subject.flipBit }) ?? computed
      other = computed
      const { profile, epilogue } = subject
      const honest = cheat.sparse ? computed.map(subject.output) : undefined
      return { opened: { a, b, c: claimed.map(subject.output), profile, epilogue }, honest }
    })
    judgeSession(claims, random, power)
  }
  return power
}

/** A row as it is claimed and, where only some of its entries are wrong, as it should be. */
export interface Claim {
  readonly opened: OpenedRow
  readonly honest: Float64Array | undefined
}

export function noPower(): Mutable<Power> {
  return { entries: 0, entriesCaught: 0, rows: 0, rowsCaught: 0, sessions: 0, sessionsCaught: 0 }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Judges the rows of one product together, and adds what was found to `power`. */
export function judgeSession(claims: readonly Claim[], random: TestRandom, power: Mutable<Power>): void {
  const { b } = claims[0]!.opened
  const { n } = b
  const xs = Array.from({ length: policyVectors }, () =>
    Float64Array.from({ length: n }, () => 2 * random.uniform() - 1),
  )
  const vectors = projectMatrix(b, xs)
  let isCaught = false
  const judged = claims.map(({ opened, honest }): JudgedRow => {
    const { c } = opened
    const lone = honest ? [...c.keys()].filter((j) => !Object.is(c[j], honest[j])) : draw(loneEntries, n, random)
    for (const j of lone) {
      power.entries++
      const only = { ...opened, c: c.subarray(j, j + 1), columns: Uint32Array.of(j) }
      if (checkRow(only).failures.length > 0) power.entriesCaught++
    }
    const result = checkRow(opened, { entries: draw(policyEntries, n, random), smallest: policyEntries, vectors })
    power.rows++
    if (result.failures.length > 0) {
      power.rowsCaught++
      isCaught = true
    }
    return { ...result, opened }
  })
  power.sessions++
  if (isCaught || judgeTogether(judged) !== undefined) power.sessionsCaught++
}

function draw(count: number, n: number, random: TestRandom): Uint32Array {
  const seed = Uint8Array.from({ length: 32 }, () => random.below(256))
  return drawWithoutReplacement(randomStream(seed), Math.min(count, n), n)
}

/**
 * Probability p for which so few or fewer of `trials` are missed once in 20 times: the lower end of the one-sided
 * interval of Clopper and Pearson with 95%. 0 where none is caught.
 */
export function lowerBound(caught: number, trials: number): number {
  if (caught === 0) return 0
  let low = 0
  let high = caught / trials
  for (let i = 0; i < 60; i++) {
    const p = (low + high) / 2
    if (atLeast(caught, trials, p) < 0.05) low = p
    else high = p
  }
  return low
}

/** P(Bin(trials, p) >= caught). */
function atLeast(caught: number, trials: number, p: number): number {
  let sum = 0
  let logTerm = trials * Math.log1p(-p)
  for (let i = 0; i <= trials; i++) {
    if (i >= caught) sum += Math.exp(logTerm)
    logTerm += Math.log((trials - i) / (i + 1)) + Math.log(p / (1 - p))
  }
  return sum
}
