import { AsyncLocalStorage } from 'node:async_hooks'
import type { CreateHandler, ModelInput, OrtBackend, OrtHandler, OrtSessionOptions } from './ort/library.ts'
import { type HandlerFactory, patchBackend } from './ort/patch.ts'
import { backendOf, resolveBackend } from './ort/resolve.ts'
import { openSession } from './session/open-session.ts'
import type { ForeseenReading, ForeseenRun, SessionInfo, SessionObserver } from './session/session-observer.ts'
import { messageOf, opaqueHandler, type RunSink, tappedHandler } from './session/tapped-handler.ts'

const instrumentations = new WeakMap<OrtBackend, Instrumentation>()

/** Set while sessions are created that are to be instrumented although others are not. */
const chosen = new AsyncLocalStorage<Instrumentation>()

/**
 * Instruments the sessions of one `onnxruntime-node`, all of them or chosen ones, and tells observers of their runs. There
 * is one for each copy of the library.
 *
 * A session stays instrumented until it is released; its runs cost what plain ones do while nobody observes. A session that
 * was created before is never seen.
 */
export class Instrumentation {
  readonly #backend: OrtBackend
  readonly #observers = new Set<SessionObserver>()
  readonly #sink: RunSink
  #everywhere = 0

  /**
   * @param ort - What `import * as ort from 'onnxruntime-node'` gives.
   * @throws {TypeError} If it is something else.
   * @throws {AssayError} `backend-unusable` if its inside cannot be reached.
   */
  static of(ort: object): Instrumentation {
    return Instrumentation.#for(backendOf(ort))
  }

  /**
   * @param from - Path or file URL of a module that uses `onnxruntime-node`, or of its folder with a trailing slash.
   * @throws {AssayError} `backend-unusable` if it is not found from there, or its inside cannot be reached.
   */
  static at(from: string | URL): Instrumentation {
    return Instrumentation.#for(resolveBackend(from))
  }

  static #for(backend: OrtBackend): Instrumentation {
    let found = instrumentations.get(backend)
    if (found === undefined) {
      found = new Instrumentation(backend)
      instrumentations.set(backend, found)
    }
    return found
  }

  private constructor(backend: OrtBackend) {
    this.#backend = backend
    const observers = this.#observers
    this.#sink = {
      get isWanted() {
        return observers.size > 0
      },
      foresee: (run) => this.#foresee(run),
      run: (run) => this.#tell((observer) => observer.run(run)),
      unreadRun: () => this.#tell((observer) => observer.unreadRun?.()),
      opaqueRun: (run) => this.#tell((observer) => observer.opaqueRun(run)),
    }
  }

  /** Instruments every session that is created from now on, until the returned function is called. */
  everywhere(): () => void {
    const restore = this.#patch()
    this.#everywhere++
    let isOn = true
    return () => {
      if (!isOn) return
      isOn = false
      this.#everywhere--
      restore()
    }
  }

  /** Instruments the sessions that `body` creates, until its promise is settled. Others meanwhile are left alone. */
  async within<T>(body: () => Promise<T>): Promise<T> {
    const restore = this.#patch()
    try {
      return await chosen.run(this, body)
    } finally {
      restore()
    }
  }

  /** Has `observer` told of every run that ends from now on, until the returned function is called. */
  observe(observer: SessionObserver): () => void {
    // An object of its own, so that one observer may be added twice.
    const own: SessionObserver = {
      foresee: (run) => observer.foresee?.(run) ?? 'all',
      run: (run) => observer.run(run),
      unreadRun: () => observer.unreadRun?.(),
      opaqueRun: (run) => observer.opaqueRun(run),
    }
    this.#observers.add(own)
    return () => void this.#observers.delete(own)
  }

  /** Rows where one observer wants some and the others nothing. */
  #foresee(run: ForeseenRun): ForeseenReading {
    try {
      const wishes = [...this.#observers].map((observer) => observer.foresee?.(run) ?? 'all')
      const [wish = 'none', ...others] = wishes.filter((one) => one !== 'none')
      return others.length > 0 ? 'all' : wish
    } catch {
      // What is wrong with it shows when the run is reported.
      return 'all'
    }
  }

  #tell(about: (observer: SessionObserver) => void): void {
    for (const observer of this.#observers) {
      try {
        about(observer)
      } catch {
        // An observer's failure is its own: the user's run went well.
      }
    }
  }

  #patch(): () => void {
    return patchBackend(this.#backend, this.#make)
  }

  readonly #make: HandlerFactory = (create, source, options) => {
    const isMeant = this.#everywhere > 0 || chosen.getStore() === this
    return isMeant ? this.#open(create, source, options) : create(source, options)
  }

  async #open(create: CreateHandler, source: ModelInput, options: OrtSessionOptions): Promise<OrtHandler> {
    const session = infoOf(source, options)
    try {
      // The file that the user asks for comes of the user's own session.
      if (options.optimizedModelFilePath !== undefined) await (await create(source, options)).dispose()
      return tappedHandler(await openSession(create, source, options), session, this.#sink)
    } catch (cause) {
      // If the model is what is wrong, this fails too, with the error that the user would get without us.
      const plain = await create(source, options)
      return opaqueHandler(plain, session, `the session could not be instrumented: ${messageOf(cause)}`, this.#sink)
    }
  }
}

function infoOf(source: ModelInput, { executionProviders = [] }: OrtSessionOptions): SessionInfo {
  return {
    path: typeof source === 'string' ? source : undefined,
    executionProviders: executionProviders.map((provider) => (typeof provider === 'string' ? provider : provider.name)),
  }
}
