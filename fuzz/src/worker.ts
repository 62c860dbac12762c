/**
 * One target in a process of its own, so that the process that watches it goes on when it hangs or dies.
 *
 * @module
 */
import { coverage } from './coverage.ts'
import { Engine, type EngineStatistics } from './engine.ts'
import { installMeter } from './meter.ts'
import { randomOf } from './random.ts'
import { targetNamed } from './targets/index.ts'
import { WatchFile } from './watch-file.ts'

/** What it is told: first how to begin, then how long to go on, again and again. */
export type WorkerOrder =
  | {
      readonly type: 'begin'
      readonly target: string
      readonly seed: number
      readonly inputs: readonly Uint8Array[]
      /** Where it notes what it is about to do. */
      readonly watchFile: string
    }
  | { readonly type: 'run'; readonly ms: number; readonly maxInputs: number }

/** What it says; `done` answers each order. */
export type WorkerMessage =
  | { readonly type: 'covering'; readonly input: Uint8Array }
  | { readonly type: 'finding'; readonly input: Uint8Array; readonly problem: string }
  | { readonly type: 'done'; readonly statistics: EngineStatistics }

let engine: Engine | undefined

process.on('message', (order: WorkerOrder) => {
  follow(order).then(
    (statistics) => say({ type: 'done', statistics }),
    (error) => {
      console.error(error)
      process.exit(1)
    },
  )
})

async function follow(order: WorkerOrder): Promise<EngineStatistics> {
  if (order.type === 'run') await engine!.run(order.ms, order.maxInputs)
  else engine = await begin(order)
  return engine!.statistics
}

async function begin({ target: name, seed, inputs, watchFile }: Extract<WorkerOrder, { type: 'begin' }>) {
  const target = await targetNamed(name)
  const watch = new WatchFile(watchFile, target.maxInputBytes)
  const started = new Engine({
    target,
    random: randomOf(seed),
    meter: installMeter(),
    // What the decoders are made of; not what feeds them.
    coverage: coverage((url) => url.includes('/packages/') || url.includes('/node_modules/cborg/')),
    onInput: (input) => watch.note(input),
    onFinding: (input, problem) => say({ type: 'finding', input, problem }),
    onCovering: (input) => say({ type: 'covering', input }),
  })
  await started.start([...target.seeds(), ...inputs])
  return started
}

function say(message: WorkerMessage): void {
  process.send!(message)
}
