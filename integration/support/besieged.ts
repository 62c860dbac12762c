import { setTimeout as sleep } from 'node:timers/promises'
import type { Verdict } from '@tensor-assay/core'
import { tcp } from '@tensor-assay/transport-tcp'
import { Child } from './child.ts'
import type { CrowdedOptions, CrowdedReport } from './crowded-verifier-process.ts'
import type { CrowdReport } from './hostile-crowd-process.ts'
import { plainSession } from './plain-session.ts'

/**
 * Limits under which a verifier is besieged. The waits are short, so that hostile connections meet them; the memory is a
 * fraction of the default, so that they use it up.
 */
export const siegeOptions = {
  transport: {
    maxChannels: 1500,
    maxMessageBytes: 2 ** 26,
    maxBufferedBytes: 2 ** 20,
    maxTotalBufferedBytes: 64 * 2 ** 20,
    handshakeTimeoutMs: 30_000,
    stallTimeoutMs: 5000,
    closeTimeoutMs: 2000,
  },
  policy: { handshakeTimeoutMs: 30_000, openingTimeoutMs: 30_000, idleTimeoutMs: 30_000, maxOperations: 20_000 },
} as const satisfies CrowdedOptions

/**
 * Resident memory that a verifier may take under siege: what it took before; what channels hold, and as much again that is
 * no longer held and not yet collected; and what a connection costs whatever it does.
 */
export function residentBound(before: number): number {
  const { maxTotalBufferedBytes, maxMessageBytes, maxChannels } = siegeOptions.transport
  return before + 2 * (maxTotalBufferedBytes + maxMessageBytes) + maxChannels * 64 * 1024
}

export interface SiegeOptions {
  readonly connections: number
  /** Honest sessions, one after the other, each of so many steps. */
  readonly sessions: number
  readonly steps: number
  /** How long a session lasts at least. */
  readonly sessionSeconds: number
  readonly onSession?: (verdict: Verdict, report: CrowdedReport) => void
}

export interface Siege {
  readonly verdicts: readonly Verdict[]
  /** Before the crowd came. */
  readonly before: CrowdedReport
  readonly reports: readonly CrowdedReport[]
  /** Hostile connections that were made in all. */
  readonly made: number
  /** Hostile connections that were open when each session began. */
  readonly open: readonly number[]
}

/** Honest sessions with a verifier in a process of its own, while hostile connections to it are open. */
export async function besiege(options: SiegeOptions): Promise<Siege> {
  const { connections, sessions, steps, sessionSeconds, onSession } = options
  await using auditor = new Child<{ address: string; report: CrowdedReport }>(
    './crowded-verifier-process.ts',
    JSON.stringify(siegeOptions),
  )
  const address = await auditor.next('address')
  const honest = (seconds: number) => honestSession(address, steps, seconds)
  // Code and weights are loaded by then.
  await honest(0)
  const before = await reportOf(auditor)
  await using crowd = new Child<{ report: CrowdReport }>('./hostile-crowd-process.ts', address, String(connections))
  while ((await reportOf(crowd)).made < connections) await sleep(100)
  const verdicts: Verdict[] = []
  const reports: CrowdedReport[] = []
  const open: number[] = []
  for (let i = 0; i < sessions; i++) {
    open.push((await reportOf(crowd)).open)
    const verdict = await honest(sessionSeconds)
    const report = await reportOf(auditor)
    verdicts.push(verdict)
    reports.push(report)
    onSession?.(verdict, report)
  }
  const { made } = await reportOf(crowd)
  return { verdicts, before, reports, made, open }
}

async function honestSession(address: string, steps: number, seconds: number): Promise<Verdict> {
  const session = await plainSession(await tcp({ handshakeTimeoutMs: 60_000 }).dial(address), {
    handshakeTimeoutMs: 60_000,
  })
  for (let i = 0; i < steps; i++) {
    await session.step()
    await sleep((1000 * seconds) / steps)
  }
  return session.close()
}

function reportOf<T extends object>(child: Child<{ report: T }>): Promise<T> {
  child.process.send('report')
  return child.next('report')
}
