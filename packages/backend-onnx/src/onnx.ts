import type { Backend, Interception, OpenedRowNumbers, ProductObserver } from '@tensor-assay/core'
import { statedOperators } from './graph/operators.ts'
import type { PlannedProduct } from './graph/plan.ts'
import { Instrumentation } from './instrumentation.ts'
import { handleOf } from './products/operands.ts'
import { productOf, rightOperand } from './products/product-of.ts'
import { TensorKeys } from './products/tensor-keys.ts'
import { Relations } from './relations/relations.ts'
import type { ForeseenRun, SessionObserver, TappedRun } from './session/session-observer.ts'

export interface OnnxOptions {
  /**
   * Which sessions are audited: all that are created from now on (`all`, the default), or those that `auditedSessions`
   * creates (`chosen`).
   */
  readonly sessions?: 'all' | 'chosen'
}

export interface OnnxBackend extends Backend, Disposable {
  /** Leaves sessions that are created from now on alone. Those that exist go on as they are. */
  restore(): void
}

/**
 * The backend of `onnxruntime-node`. A session has to be created after this call to be audited: its values are read through
 * outputs that are added to its graph.
 *
 * @param ort - What `import * as ort from 'onnxruntime-node'` gives.
 * @throws {TypeError} If it is something else.
 * @throws {AssayError} `backend-unusable` if the inside of the library cannot be reached.
 *
 * @example
 * ```ts
 * const backend = onnx(ort)
 * const session = await ort.InferenceSession.create('model.onnx')
 * const prover = await createProver({ backend, channel: await tcp().dial('tcp://auditor:11234') })
 * const { logits } = await prover.audit(() => session.run({ input }))
 * ```
 */
export function onnx(ort: object, { sessions = 'all' }: OnnxOptions = {}): OnnxBackend {
  return backendOf([Instrumentation.of(ort)], sessions)
}

/** The backend of an instrumented library, or of several copies of it. */
export function backendOf(instrumentations: readonly Instrumentation[], sessions: 'all' | 'chosen'): OnnxBackend {
  const patches = sessions === 'all' ? instrumentations.map((instrumentation) => instrumentation.everywhere()) : []
  const restore = () => {
    for (const unpatch of patches) unpatch()
  }
  const keys = new TensorKeys()
  return {
    specificationVersion: 'v1',
    name: 'onnxruntime-node',
    supports: {
      operations: statedOperators,
      bypassed: ['sessions created before the backend', 'bodies of If, Loop and Scan', 'other threads and processes'],
      dtypes: ['float32', 'int32', 'uint8', 'int8'],
      profiles: ['float32', 'tf32', 'int8'],
    },
    intercept(observer): Interception {
      const stops = instrumentations.map((instrumentation) => instrumentation.observe(reporting(observer, keys)))
      let active = true
      const interception = {
        get active() {
          return active
        },
        restore() {
          active = false
          for (const stop of stops) stop()
        },
        [Symbol.dispose]: () => interception.restore(),
      }
      return interception
    },
    restore,
    [Symbol.dispose]: restore,
  }
}

function reporting(observer: ProductObserver, keys: TensorKeys): SessionObserver {
  return {
    foresee(run: ForeseenRun) {
      const wanted = new Map<PlannedProduct, OpenedRowNumbers>()
      // Asked even where nothing can be stated, because the run may still be nobody's business.
      for (const [ahead, planned] of run.plan.products.entries()) {
        const operands = run.operands(planned)
        const b = operands && rightOperand(operands, keys)
        if (!b) continue
        const addend = operands.addend && handleOf(operands.addend, keys)
        const rows = observer.foresee?.(ahead, { layout: operands.layout, b, ...(addend && { addend }) }) ?? 'all'
        if (typeof rows === 'string') return rows
        wanted.set(planned, rows)
      }
      return wanted
    },
    run(run: TappedRun) {
      observer.run?.()
      const relations = observer.wantsDerivations ? new Relations(run, keys) : undefined
      for (const planned of run.plan.products) {
        const product = productOf(planned, run, keys, relations)
        if ('layout' in product) observer.product(product)
        else observer.opaque(product)
      }
      for (const { node, operation, reason } of run.plan.opaque) observer.opaque({ node, operation, reason })
    },
    unreadRun: () => observer.run?.(),
    opaqueRun({ session, reason }) {
      observer.run?.()
      observer.opaque({ operation: 'InferenceSession.run', node: session.path ?? 'model', reason })
    },
  }
}
