import type { VerifierEvent } from '@tensor-assay/verifier'
import { printable } from '@tensor-assay/verifier'

/** Sessions under way with peers of one name: behind a Unix socket all have the same. */
interface Under {
  sessions: number
  products: number
  rows: number
  readonly since: number
}

/** Between two drawings, milliseconds. */
const intervalMs = 100

export interface Progress {
  readonly onEvent: (event: VerifierEvent) => void
  /** Runs `print` with the lines out of its way. */
  above(print: () => void): void
  /** Takes the lines away. */
  end(): void
}

/** Nothing is shown where nobody watches. */
export function silence(): Progress {
  return { onEvent: () => undefined, above: (print) => print(), end: () => undefined }
}

/** A line for each peer that is being audited, at the bottom of a terminal. */
export function liveProgress(stream: NodeJS.WriteStream, now = () => performance.now()): Progress {
  const peers = new Map<string, Under>()
  let drawn = 0
  let drawnAt = Number.NEGATIVE_INFINITY

  function erase(): void {
    if (drawn > 0) stream.write(`\u001b[${drawn}A\u001b[J`)
    drawn = 0
  }

  function draw(): void {
    erase()
    // Fewer than the terminal has: what has scrolled out of it cannot be erased.
    const room = Math.max(1, (stream.rows || 24) - 2)
    const shown = [...peers].slice(0, peers.size > room ? room - 1 : room)
    const lines = shown.map(([peer, under]) => lineOf(peer, under, now()))
    if (shown.length < peers.size) lines.push(`… and ${peers.size - shown.length} more`)
    for (const line of lines) stream.write(`${line.slice(0, (stream.columns || 80) - 1)}\n`)
    drawn = lines.length
    drawnAt = now()
  }

  return {
    onEvent(event) {
      const { peer } = event
      const under = peers.get(peer) ?? { sessions: 0, products: 0, rows: 0, since: now() }
      peers.set(peer, under)
      if (event.type === 'session') under.sessions++
      else if (event.type === 'checked') {
        under.products++
        under.rows += event.rows.rows
      } else if (--under.sessions <= 0) peers.delete(peer)
      if (event.type !== 'checked' || now() - drawnAt >= intervalMs) draw()
    },
    above(print) {
      erase()
      print()
      draw()
    },
    end() {
      erase()
      peers.clear()
    },
  }
}

function lineOf(peer: string, { sessions, products, rows, since }: Under, now: number): string {
  const several = sessions > 1 ? ` (${sessions} sessions)` : ''
  return `${printable(peer, 80)}${several}: products ${products}, rows ${rows}, ${((now - since) / 1000).toFixed(1)} s`
}
