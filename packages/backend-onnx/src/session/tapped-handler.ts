import type { OrtFetches, OrtHandler, OrtTensor, OrtValues } from '../ort/library.ts'
import type { ReadRun } from '../taps/tap-reader.ts'
import { type TapTensor, tapTensor } from '../taps/tap-tensor.ts'
import type { OpenedSession } from './open-session.ts'
import type { SessionInfo, SessionObserver } from './session-observer.ts'

/** Whom a session tells of its runs, if anybody wants to know just now. */
export interface RunSink extends SessionObserver {
  readonly isWanted: boolean
}

/** What stands behind the user's `InferenceSession` in the place of ONNX Runtime's own. */
export function tappedHandler(opened: OpenedSession, session: SessionInfo, sink: RunSink): OrtHandler {
  const { handler, face, plan, reader, weights, filterBlock } = opened

  async function readRun(feeds: OrtValues, fetches: OrtFetches, options: object): Promise<OrtValues> {
    let run: ReadRun
    try {
      run = await reader.run(handler, feeds, fetches, options)
    } catch (cause) {
      // The taps may be what failed, for want of memory say. If the run itself fails, that is its error.
      const outputs = await handler.run(feeds, fetches, options)
      sink.opaqueRun({ session, reason: `its values could not be read: ${messageOf(cause)}` })
      return outputs
    }
    sink.run({ session, plan, feeds, outputs: run.outputs, value: valuesOf(run, feeds), filterBlock })
    return run.outputs
  }

  function valuesOf(run: ReadRun, feeds: OrtValues): (name: string) => TapTensor | undefined {
    const tensors = new Map<string, TapTensor | undefined>()
    return (name) => {
      const origin = plan.origin(name)
      if (origin === 'initializer') return weights.tensor(name)
      if (!tensors.has(name)) {
        const found: OrtTensor | undefined = origin === 'input' ? feeds[name] : run.value(name)
        tensors.set(name, found && tapTensor(found))
      }
      return tensors.get(name)
    }
  }

  const tapped: OrtHandler = {
    ...face,
    startProfiling: () => handler.startProfiling(),
    endProfiling: () => handler.endProfiling(),
    async dispose() {
      weights.close()
      await handler.dispose()
    },
    run: (feeds, fetches, options) =>
      sink.isWanted ? readRun(feeds, fetches, options) : handler.run(feeds, fetches, options),
  }
  // A session that is dropped without being released.
  forgotten.register(tapped, weights)
  return tapped
}

const forgotten = new FinalizationRegistry<{ close(): void }>((weights) => weights.close())

/** The plain session, whose runs are reported as opaque. */
export function opaqueHandler(plain: OrtHandler, session: SessionInfo, reason: string, sink: RunSink): OrtHandler {
  const { inputNames, outputNames, inputMetadata, outputMetadata } = plain
  return {
    inputNames,
    outputNames,
    inputMetadata,
    outputMetadata,
    startProfiling: () => plain.startProfiling(),
    endProfiling: () => plain.endProfiling(),
    dispose: () => plain.dispose(),
    async run(feeds, fetches, options) {
      const outputs = await plain.run(feeds, fetches, options)
      sink.opaqueRun({ session, reason })
      return outputs
    },
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
