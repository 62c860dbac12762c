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

/** An `audit` call that the running code is inside of, and those around it, of other provers. */
interface Entered {
  readonly scope: object
  readonly step: number
  readonly outer: Entered | undefined
}

/**
 * One for the process, whatever the number of its sessions: in Node 20 each AsyncLocalStorage that was ever entered adds
 * to the cost of every promise and timer from then on.
 */
let shared: Storage<Entered> | undefined

export function auditScope(): AuditScope {
  const hooks = globalThis.process?.getBuiltinModule?.('node:async_hooks')
  if (hooks) {
    shared ??= new hooks.AsyncLocalStorage<Entered>()
    const storage = shared
    const scope = {}
    const current = () => {
      let entered = storage.getStore()
      while (entered !== undefined && entered.scope !== scope) entered = entered.outer
      return entered?.step
    }
    return {
      run: async (step, body) => storage.run({ scope, step: current() ?? step, outer: storage.getStore() }, body),
      current,
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
