/**
 * Tells the products of one `audit` call from those of other code that runs meanwhile. Where the runtime has
 * AsyncLocalStorage, asynchronous work belongs to the call that started it; elsewhere everything between start and end
 * of the call does.
 */
export interface AuditScope {
  run<T>(step: number, body: () => T | Promise<T>): Promise<T>
  /** The step of the code that is running, or undefined outside every `audit` call. */
  current(): number | undefined
}

interface Storage<T> {
  run<R>(store: T, body: () => R): R
  getStore(): T | undefined
}

export function auditScope(): AuditScope {
  const hooks = globalThis.process?.getBuiltinModule?.('node:async_hooks')
  if (hooks) {
    const storage: Storage<number> = new hooks.AsyncLocalStorage<number>()
    return {
      run: async (step, body) => storage.run(storage.getStore() ?? step, body),
      current: () => storage.getStore(),
    }
  }
  const open: number[] = []
  return {
    async run(step, body) {
      open.push(step)
      try {
        return await body()
      } finally {
        open.splice(open.lastIndexOf(step), 1)
      }
    },
    current: () => open[0],
  }
}
