import { createRequire } from 'node:module'
import { arch, availableParallelism, cpus, loadavg, platform, release } from 'node:os'

/** What the figures hold for. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly system: string
  readonly node: string
  /** Mean number of running processes in the last minute, before the benchmark: other work disturbs it. */
  readonly load: number
}

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    load: loadavg()[0]!,
  }
}

const require = createRequire(import.meta.url)

/** Version of an installed package. */
export function versionOf(packageName: string): string {
  return (require(`${packageName}/package.json`) as { version: string }).version
}
