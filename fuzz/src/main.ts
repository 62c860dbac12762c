// Feeds every decoder with damaged and made-up bytes. Exits non-zero if one of them does what it must not.
import { readFile, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import { loadCorpus, saveCorpus } from './corpus.ts'
import { type EngineStatistics, noStatistics } from './engine.ts'
import { kindOf, saveFinding } from './findings.ts'
import { judge } from './judge.ts'
import { installMeter } from './meter.ts'
import { targetNamed, targetNames } from './targets/index.ts'
import { Watched } from './watched.ts'

const { values } = parseArgs({
  options: {
    target: { type: 'string', default: targetNames.join(',') },
    seconds: { type: 'string', default: '300' },
    runs: { type: 'string', default: 'Infinity' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    save: { type: 'boolean', default: false },
    log: { type: 'string' },
    replay: { type: 'string' },
    'hang-seconds': { type: 'string', default: '20' },
    'heap-mib': { type: 'string', default: '256' },
  },
})

/** Time that a target has until it is another's turn, milliseconds. */
const turnMs = 10_000
/** Inputs each second below which a target has turns that are longer. */
const slowRate = 1000
/** Findings of one target that are saved; a defect shows in many inputs. */
const maxFindings = 20

if (values.replay === undefined) await fuzz()
else await replay(values.replay)

async function replay(path: string): Promise<void> {
  const name = targetNames.includes(values.target) ? values.target : basename(path).replace(/-[0-9a-f]+\.bin$/, '')
  const target = await targetNamed(name)
  const { accepted, problem } = await judge(target, new Uint8Array(await readFile(path)), installMeter())
  console.log(problem ?? `${name} ${accepted ? 'accepts' : 'refuses'} it, as it may`)
  process.exitCode = problem === undefined ? 0 : 1
}

async function fuzz(): Promise<void> {
  const seconds = number('seconds')
  const runs = number('runs')
  const seed = number('seed')
  const names = values.target.split(',')
  const runners = await Promise.all(names.map((name, i) => runnerOf(name, seed + i)))
  const began = performance.now()
  const elapsed = () => (performance.now() - began) / 1000
  const total = () => runners.reduce((sum, runner) => sum + runner.inputs(), 0)
  console.log(`${names.length} targets, seed ${seed}`)
  while (elapsed() < seconds && total() < runs) {
    for (const runner of runners) {
      const ms = Math.min(turnMs * runner.share(), (1000 * seconds) / names.length, 1000 * (seconds - elapsed()))
      if (ms > 0 && total() < runs) await runner.turn(ms, runs - total())
    }
    for (const runner of runners) console.log(`${String(Math.round(elapsed())).padStart(6)} s  ${runner.line()}`)
    console.log(`${String(Math.round(elapsed())).padStart(6)} s  ${total()} inputs in all`)
  }
  const results = []
  for (const runner of runners) results.push(await runner.end())
  const findings = results.flatMap((result) => result.findings)
  if (values.log !== undefined) {
    const log = { seed, seconds: elapsed(), inputs: total(), targets: results }
    await writeFile(values.log, `${JSON.stringify(log, null, 2)}\n`)
  }
  console.log(findings.length === 0 ? '\nno findings' : `\n${findings.length} findings:\n${findings.join('\n')}`)
  process.exitCode = findings.length === 0 ? 0 : 1
}

/** One target through the lives of its workers. */
async function runnerOf(name: string, firstSeed: number) {
  if (!targetNames.includes(name)) await targetNamed(name)
  const saved = await loadCorpus(name)
  const covering = new Map<string, Uint8Array>()
  const kinds = new Set<string>()
  const findings: string[] = []
  const saving: Promise<unknown>[] = []
  let seed = firstSeed
  let worker: Watched | undefined
  /** Of the workers that are gone. */
  let before = noStatistics
  let busyMs = 0

  function onFinding(input: Uint8Array, problem: string): void {
    const kind = kindOf(problem)
    if (kinds.has(kind) || kinds.size >= maxFindings) return
    kinds.add(kind)
    saving.push(
      saveFinding(name, input, problem).then((path) => {
        findings.push(path)
        console.log(`${name}: ${problem.split('\n')[0]}\n  ${path}`)
      }),
    )
  }

  async function alive(inputs: readonly Uint8Array[], onCovering: (input: Uint8Array) => void): Promise<Watched> {
    const hangMs = 1000 * number('hang-seconds')
    const heapMib = number('heap-mib')
    const started = new Watched({
      target: name,
      seed: seed++,
      inputs,
      hangMs,
      heapMib,
      onFinding,
      onCovering,
    })
    await started.begin()
    return started
  }

  function now(): EngineStatistics {
    const living = worker?.statistics ?? noStatistics
    return {
      ...living,
      inputs: before.inputs + living.inputs,
      accepted: before.accepted + living.accepted,
      slowestMs: Math.max(before.slowestMs, living.slowestMs),
      mostBytes: Math.max(before.mostBytes, living.mostBytes),
    }
  }

  const rate = () => Math.round((1000 * now().inputs) / Math.max(1, busyMs))

  return {
    inputs: () => now().inputs,
    /** Targets that get through few inputs have more behind them. */
    share: () => (busyMs > 0 && rate() < slowRate ? 4 : 1),
    async turn(ms: number, maxInputs: number): Promise<void> {
      if (worker === undefined || worker.gone) {
        before = now()
        worker = await alive([...saved, ...covering.values()], (input) =>
          covering.set(Buffer.from(input).toString('latin1'), input),
        )
      }
      const began = performance.now()
      await worker.run(ms, maxInputs)
      busyMs += performance.now() - began
    },
    line(): string {
      const { inputs, accepted, corpus, characters, slowestMs, mostBytes } = now()
      const part = ((100 * accepted) / Math.max(1, inputs)).toFixed(1)
      return [
        `${name.padEnd(14)} ${String(inputs).padStart(9)} inputs ${String(rate()).padStart(6)}/s ${part.padStart(5)}% accepted`,
        `${String(corpus).padStart(4)} kept ${String(characters).padStart(6)} characters`,
        `slowest ${slowestMs.toFixed(0)} ms, most ${Math.ceil(mostBytes / 1024)} KiB, ${findings.length} findings`,
      ].join('  ')
    },
    async end() {
      const statistics = now()
      worker?.stop()
      if (values.save) {
        const kept: Uint8Array[] = []
        const last = await alive([...saved, ...covering.values()], (input) => kept.push(input))
        last.stop()
        await saveCorpus(name, kept)
      }
      await Promise.all(saving)
      return { name, ...statistics, seconds: busyMs / 1000, findings }
    },
  }
}

function number(name: 'seconds' | 'runs' | 'seed' | 'hang-seconds' | 'heap-mib'): number {
  const value = Number(values[name])
  if (value >= 0) return value
  throw new RangeError(`expected --${name} to be a number >= 0, got ${values[name]}`)
}
