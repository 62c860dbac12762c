import { setTimeout } from 'node:timers/promises'
import { createProver, type Verdict } from '@tensor-assay/core'
import { tcp } from '@tensor-assay/transport-tcp'
import type { Auditor } from './auditor.ts'
import { type Arm, type Comparison, compare, interleave, type Spread, spread } from './measure.ts'
import { type Audit, audits, policyOf } from './policies.ts'
import type { Control, Effort, Run, Subject } from './subject.ts'

/** What one round says of an arm. */
interface Sample {
  /** Median of the calls that were timed one by one, milliseconds. */
  readonly callMs: number
  /** Time of the batch until nothing is left to do, the verdict included, for each run of it, milliseconds. */
  readonly drainedMs: number
  /** Time that all threads of this process were running during the same, for each run, milliseconds. */
  readonly cpuMs: number
  readonly session?: SessionSample
}

interface SessionSample {
  readonly firstCallMs: number
  readonly rows: number
  readonly bytes: number
  readonly checkMs: number
}

export interface ArmResult {
  readonly name: string
  readonly role: 'baseline' | 'null' | 'mode' | 'control'
  readonly callMs: Spread
  readonly drainedMs: Spread
  readonly cpuMs: Spread
  /** Against the baseline, which has none. */
  readonly over?: { readonly call: Comparison; readonly drained: Comparison; readonly cpu: Comparison }
  /** Of an arm with a verifier. */
  readonly session?: SessionResult
}

export interface SessionResult {
  /** The first call of a session, in which the weights are hashed and memory for copies is new. */
  readonly firstCallMs: Spread
  /** Rows that the verifier checked for one run. */
  readonly rowsPerRun: number
  /** Bytes from the prover to the verifier for one run. */
  readonly bytesPerRun: number
  /** Time that the verifier took to check one run, milliseconds. */
  readonly checkMsPerRun: number
}

export interface OverheadResult {
  readonly productsPerRun: number
  readonly effort: Effort
  readonly arms: readonly ArmResult[]
  /** What makes the whole measurement worthless. */
  readonly failures: readonly string[]
}

export interface OverheadOptions {
  readonly subject: Subject
  readonly auditor: Auditor
  readonly effort: Effort
  readonly controls: readonly Control[]
  readonly random: () => number
  readonly onRound?: (round: number) => void
}

/**
 * Rest before each call that is timed by itself, in every arm: waiting for the verifier lets the processor go, and what
 * runs next may be slower for that.
 */
const restMs = 20

const baselineName = 'plain'
const nullName = 'plain again'

/**
 * Measures what each mode and each control adds to a subject's runs.
 *
 * @throws {Error} If a session did not pass, or checked nothing: then there is no overhead to speak of.
 */
export async function measureOverhead(options: OverheadOptions): Promise<OverheadResult> {
  const { subject, auditor, effort, controls, random, onRound } = options
  const productsPerRun = await countProducts(subject)
  const auditable = () => subject.prepare('auditable')
  let products = 0

  async function singleCalls(prepare: () => Run, audit: (run: Run) => unknown, settle: () => unknown): Promise<number> {
    const calls: number[] = []
    for (let i = 0; i < effort.calls; i++) {
      await settle()
      await setTimeout(restMs)
      calls.push(await timedCall(prepare, audit))
    }
    await settle()
    return spread(calls).median
  }

  async function unaudited(as: 'plain' | 'auditable'): Promise<Sample> {
    const prepare = () => subject.prepare(as)
    await timedCall(prepare, plainly)
    const callMs = await singleCalls(prepare, plainly, turn)
    const { drainedMs, cpuMs } = await timedBatch(prepare, effort.batch, plainly, turn)
    return { callMs, drainedMs, cpuMs }
  }

  async function audited(audit: Audit): Promise<Sample> {
    const channel = await tcp().dial(auditor.addresses[audit])
    const prover = await createProver({ backend: subject.backend, channel })
    // Which steps are read of some is not known here, only that those that are not leave nothing to be done.
    const readsAll = policyOf(audit, subject.acceptActivations).operationRate === 1
    let runs = 0
    const call = ({ run }: Run) => {
      runs++
      return prover.audit(run)
    }
    const settled = () => (readsAll ? auditor.checked(products + runs * productsPerRun) : turn())
    const firstCallMs = await timedCall(auditable, call)
    const callMs = await singleCalls(auditable, call, settled)
    const { drained: verdict, ...batch } = await timedBatch(auditable, effort.batch, call, () => prover.close())
    products += verdict.coverage.operations
    demandPass(audit, verdict, readsAll ? runs : 1)
    const { rows, bytes, checkMs } = verdict.statistics
    const session = { firstCallMs, rows: rows / runs, bytes: bytes / runs, checkMs: checkMs / runs }
    return { callMs, ...batch, session }
  }

  async function controlled({ of, install }: Control): Promise<Sample> {
    const uninstall = install()
    try {
      return await unaudited(of)
    } finally {
      uninstall()
    }
  }

  /** One run in a session of its own: a product that the verifier refuses would never be reported as checked. */
  async function probe(audit: Audit): Promise<void> {
    const channel = await tcp().dial(auditor.addresses[audit])
    const prover = await createProver({ backend: subject.backend, channel })
    await timedCall(auditable, ({ run }) => prover.audit(run))
    demandPass(audit, await prover.close(), 1)
    products += productsPerRun
  }

  /** @param runs - Those that are read, at least. */
  function demandPass(audit: Audit, verdict: Verdict, runs: number): void {
    const problem = verdictProblem(verdict, runs * productsPerRun)
    if (problem !== undefined) throw new Error(`${subject.title}, ${audit}: ${problem}`)
  }

  for (const audit of audits) await probe(audit)
  const arms: Arm<Sample>[] = [
    { name: baselineName, sample: () => unaudited('plain') },
    { name: nullName, sample: () => unaudited('plain') },
    ...audits.map((audit) => ({ name: audit, sample: () => audited(audit) })),
    ...controls.map((control) => ({ name: control.name, sample: () => controlled(control) })),
  ]
  const samples = await interleave(arms, { rounds: effort.rounds, random, ...(onRound ? { onRound } : {}) })
  return { productsPerRun, effort, ...summary(samples, controls) }
}

function summary(
  samples: Map<string, Sample[]>,
  controls: readonly Control[],
): Pick<OverheadResult, 'arms' | 'failures'> {
  type Figure = 'callMs' | 'drainedMs' | 'cpuMs'
  const values = (name: string, figure: Figure) => samples.get(name)!.map((sample) => sample[figure])
  const against = (name: string, figure: Figure) => {
    const baseline = values(baselineName, figure)
    // What the baseline differs from itself is no difference.
    const floor =
      name === nullName ? 0 : Math.max(...compare(baseline, values(nullName, figure)).interval.map(Math.abs))
    return compare(baseline, values(name, figure), floor)
  }
  const arms = [...samples].map(([name, taken]): ArmResult => {
    const sessions = taken.flatMap(({ session }) => session ?? [])
    const over = { call: against(name, 'callMs'), drained: against(name, 'drainedMs'), cpu: against(name, 'cpuMs') }
    return {
      name,
      role: roleOf(name),
      callMs: spread(values(name, 'callMs')),
      drainedMs: spread(values(name, 'drainedMs')),
      cpuMs: spread(values(name, 'cpuMs')),
      ...(name === baselineName ? {} : { over }),
      ...(sessions.length === 0 ? {} : { session: sessionResult(sessions) }),
    }
  })
  const failures = controls.flatMap((control) => {
    const { over } = arms.find(({ name }) => name === control.name)!
    return controlProblem(control, over!.call) ?? []
  })
  return { arms, failures }
}

function roleOf(name: string): ArmResult['role'] {
  if (name === baselineName) return 'baseline'
  if (name === nullName) return 'null'
  return (audits as readonly string[]).includes(name) ? 'mode' : 'control'
}

function sessionResult(sessions: readonly SessionSample[]): SessionResult {
  const median = (figure: keyof SessionSample) => spread(sessions.map((session) => session[figure])).median
  return {
    firstCallMs: spread(sessions.map(({ firstCallMs }) => firstCallMs)),
    rowsPerRun: median('rows'),
    bytesPerRun: median('bytes'),
    checkMsPerRun: median('checkMs'),
  }
}

/** Why a session says nothing about the cost of an audit, if it does not. */
export function verdictProblem(
  { status, findings, coverage, statistics }: Verdict,
  products: number,
): string | undefined {
  // An honest row of a few entries may cancel by chance; it was sent and checked all the same, which is what is timed.
  const wrong = findings.find(({ reason }) => reason !== 'tolerance-guard')
  if (wrong || (status !== 'pass' && findings.length === 0)) {
    return `the verdict is ${status}: ${wrong?.reason}: ${wrong?.message}`
  }
  if (statistics.rows === 0) return 'the verdict is pass, and not one row was checked'
  // A row that a rectifier leaves at 0 was checked like any other, though it shows nothing.
  const checked = coverage.audited + (coverage.untelling ?? 0)
  if (coverage.operations < products || checked !== coverage.operations) {
    return `${products} products ran, ${coverage.operations} were declared and ${checked} checked`
  }
  return undefined
}

/** Why a control did not show what it must, if it did not. */
export function controlProblem({ name, atLeast }: Control, { interval }: Comparison): string | undefined {
  if (interval[0] > atLeast) return undefined
  const shown = interval.map((end) => `${(100 * end).toFixed(1)}%`).join(' to ')
  return `control '${name}' must cost more than ${(100 * atLeast).toFixed(0)}% and came out at ${shown}: the figures beside it mean nothing`
}

/** @throws {Error} If the subject multiplies in a way that its backend cannot state. */
async function countProducts({ title, backend, prepare }: Subject): Promise<number> {
  let products = 0
  const opaque: string[] = []
  const interception = backend.intercept({
    product: () => products++,
    opaque: ({ operation, reason }) => opaque.push(`${operation}: ${reason}`),
  })
  const prepared = prepare('auditable')
  await prepared.run()
  prepared.dispose()
  interception.restore()
  if (opaque.length > 0 || products === 0) throw new Error(`${title}: ${products} products, not audited: ${opaque}`)
  return products
}

function plainly({ run }: Run): void | Promise<void> {
  return run()
}

async function timedCall(prepare: () => Run, call: (run: Run) => unknown): Promise<number> {
  const prepared = prepare()
  const start = performance.now()
  await call(prepared)
  const elapsed = performance.now() - start
  prepared.dispose()
  return elapsed
}

/** Times for each run, from the start of the first one to the end of `drain`. */
async function timedBatch<T>(
  prepare: () => Run,
  batch: number,
  call: (run: Run) => unknown,
  drain: () => Promise<T>,
): Promise<Pick<Sample, 'drainedMs' | 'cpuMs'> & { readonly drained: T }> {
  const prepared = Array.from({ length: batch }, prepare)
  const start = performance.now()
  const cpuStart = process.cpuUsage()
  for (const run of prepared) {
    await call(run)
    // A program that serves requests goes back to its sockets between two of them.
    await turn()
  }
  const drained = await drain()
  const { user, system } = process.cpuUsage(cpuStart)
  const elapsed = performance.now() - start
  for (const run of prepared) run.dispose()
  return { drainedMs: elapsed / batch, cpuMs: (user + system) / 1000 / batch, drained }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
