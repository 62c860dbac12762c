import { vi } from 'vitest'

/** Waits until `attempt` does not throw, however busy the machine is. */
export function eventually<T>(attempt: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(attempt, { timeout: 20_000, interval: 10 })
}
