// A verifier in a process of its own that many hostile connections are made to. Sends its address, and what it has seen and
// what memory it takes whenever it is asked.
import { type TcpOptions, tcp } from '@tensor-assay/transport-tcp'
import { createVerifier, interactive, type Policy } from '@tensor-assay/verifier'
import { modelWeights } from './model.ts'

export interface CrowdedOptions {
  readonly transport: TcpOptions
  readonly policy: Partial<Policy>
}

export interface CrowdedReport {
  /** Resident memory of the process, bytes: now, and the most since the report before. */
  readonly residentBytes: number
  readonly mostResidentBytes: number
  /** Channels that were accepted and are not over; the most at once. */
  readonly mostChannels: number
  /** Verdicts by status, and findings by reason. */
  readonly statuses: Readonly<Record<string, number>>
  readonly reasons: Readonly<Record<string, number>>
  /** Connections that never became channels, by the code of the error. */
  readonly refusals: Readonly<Record<string, number>>
}

const { transport, policy } = JSON.parse(process.argv[2]!) as CrowdedOptions
const statuses: Record<string, number> = {}
const reasons: Record<string, number> = {}
const refusals: Record<string, number> = {}
let channels = 0
let mostChannels = 0
let mostResidentBytes = 0

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1
}

const sample = () => {
  mostResidentBytes = Math.max(mostResidentBytes, process.memoryUsage.rss())
}
setInterval(sample, 50)

const verifier = createVerifier({ weights: modelWeights, policy: interactive(policy) })
const onError = (error: Error) => count(refusals, (error as { code?: string }).code ?? error.name)
const listener = await tcp({ ...transport, onError }).listen('tcp://127.0.0.1:0', async (channel) => {
  mostChannels = Math.max(mostChannels, ++channels)
  try {
    const verdict = await verifier.accept(channel)
    count(statuses, verdict.status)
    for (const reason of new Set(verdict.findings.map((finding) => finding.reason))) count(reasons, reason)
  } finally {
    channels--
  }
})
process.on('message', () => {
  sample()
  const report: CrowdedReport = {
    residentBytes: process.memoryUsage.rss(),
    mostResidentBytes,
    mostChannels,
    statuses: { ...statuses },
    reasons: { ...reasons },
    refusals: { ...refusals },
  }
  mostResidentBytes = 0
  process.send?.({ report })
})
process.on('disconnect', () => process.exit())
process.send?.({ address: listener.address })
