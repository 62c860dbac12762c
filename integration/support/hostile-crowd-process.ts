// Hostile connections, in a process of their own: those who are honest must not wait for them. Says how many there are
// whenever it is asked.
import { hostileCrowd } from './hostile-crowd.ts'

export interface CrowdReport {
  /** Connections that are open. */
  readonly open: number
  /** Connections made so far. */
  readonly made: number
}

const [address, connections] = process.argv.slice(2) as [address: string, connections: string]
const crowd = hostileCrowd(address, Number(connections))
process.on('message', () => {
  const report: CrowdReport = { open: crowd.open, made: crowd.made }
  process.send?.({ report })
})
process.on('disconnect', () => process.exit())
