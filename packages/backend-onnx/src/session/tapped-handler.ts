import { type OperandName, operandValue, type PlannedProduct } from '../graph/plan.ts'
import type { OrtFetches, OrtHandler, OrtTensor, OrtValues } from '../ort/library.ts'
import { ofAnotherRun, operandsOf } from '../products/operands.ts'
import type { ReadRun } from '../taps/tap-reader.ts'
import { type TapTensor, tapTensor } from '../taps/tap-tensor.ts'
import { KnownShapes } from './known-shapes.ts'
import type { OpenedSession } from './open-session.ts'
import type { ForeseenRun, SessionInfo, SessionObserver, TappedRun } from './session-observer.ts'
import { inTurn } from './turns.ts'

/** Whom a session tells of its runs, if anybody wants to know just now. */
export interface RunSink extends SessionObserver {
  readonly isWanted: boolean
}

/** What stands behind the user's `InferenceSession` in the place of ONNX Runtime's own. */
export function tappedHandler(opened: OpenedSession, session: SessionInfo, sink: RunSink): OrtHandler {
  const { handler, face, plan, reader, weights, filterBlock } = opened

  const shapes = new KnownShapes()

  async function readRun(feeds: OrtValues, fetches: OrtFetches, options: object): Promise<OrtValues> {
    const foreseen = reader.canGather ? shapes.foreseen(feeds) : undefined
    const wanted = foreseen ? (sink.foresee?.(foreseen) ?? 'all') : 'all'
    if (wanted === 'none') {
      const outputs = await reader.runUnread(handler, feeds, fetches, options)
      sink.unreadRun?.()
      return outputs
    }
    let run: TappedRun
    let isWhole: boolean
    try {
      const gathered =
        foreseen && wanted !== 'all'
          ? await reader.runForRows(handler, feeds, fetches, options, foreseen, wanted)
          : undefined
      const read = gathered ?? (await reader.runWhole(handler, feeds, fetches, options))
      run = tappedRun(read, feeds, gathered && foreseen)
      isWhole = gathered === undefined
    } catch (cause) {
      // The taps may be what failed, for want of memory say. If the run itself fails, that is its error.
      const outputs = await reader.runUnread(handler, feeds, fetches, options)
      sink.opaqueRun({ session, reason: `its values could not be read: ${messageOf(cause)}` })
      return outputs
    }
    sink.run(run)
    if (isWhole && reader.canGather) shapes.remember(run)
    return run.outputs
  }

  function tappedRun(read: ReadRun, feeds: OrtValues, foreseen: ForeseenRun | undefined): TappedRun {
    const tensors = new Map<string, TapTensor | undefined>()
    function value(name: string): TapTensor | undefined {
      const origin = plan.origin(name)
      if (origin === 'initializer') return weights.tensor(name)
      if (!tensors.has(name)) {
        const found: OrtTensor | undefined = origin === 'input' ? feeds[name] : read.value(name)
        tensors.set(name, found && tapTensor(found, origin !== 'input' && read.isOurs(name)))
      }
      return tensors.get(name)
    }
    function operand(planned: PlannedProduct, name: OperandName): TapTensor | undefined {
      const source = operandValue(planned.statement, name)
      const whole = source === undefined ? undefined : value(source)
      if (whole !== undefined || foreseen === undefined) return whole
      const shaped = foreseen.operand(planned, name)
      const gathered = read.rows(planned, name)
      return shaped && gathered ? { ...shaped, gathered } : shaped
    }
    const run: TappedRun = {
      session,
      feeds,
      outputs: read.outputs,
      plan,
      filterBlock,
      value,
      operand,
      rows: read.rows,
      operands(planned) {
        const known = foreseen?.operands(planned)
        return known ? ofAnotherRun(known, planned, run) : operandsOf(planned, run)
      },
    }
    return run
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
      sink.isWanted
        ? inTurn(() => readRun(feeds, fetches, options))
        : reader.runUnread(handler, feeds, fetches, options),
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
    run: (feeds, fetches, options) =>
      inTurn(async () => {
        const outputs = await plain.run(feeds, fetches, options)
        sink.opaqueRun({ session, reason })
        return outputs
      }),
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
