import { operandValue, type PlannedProduct } from '../graph/plan.ts'
import type { OrtTensor, OrtValues } from '../ort/library.ts'
import { type Operands, operandsOf } from '../products/operands.ts'
import type { TapTensor } from '../taps/tap-tensor.ts'
import type { ForeseenRun, RunValues, TappedRun } from './session-observer.ts'

/** Kinds of input that are remembered, at most. */
const maxKinds = 64

/** Remembers the shapes of the values of a session's runs by those of its inputs. */
export class KnownShapes {
  readonly #runs = new Map<string, ForeseenRun>()

  /** The run that these inputs will make, if inputs of their shapes were seen. */
  foreseen(feeds: OrtValues): ForeseenRun | undefined {
    return this.#runs.get(kindOf(feeds))
  }

  /** @param run - One that was read whole. Never throws. */
  remember(run: TappedRun): void {
    const kind = kindOf(run.feeds)
    if (this.#runs.has(kind)) return
    if (this.#runs.size >= maxKinds) this.#runs.delete(this.#runs.keys().next().value!)
    const values = withoutElements(run)
    const operands = new Map<PlannedProduct, Operands>()
    try {
      for (const planned of run.plan.products) {
        const found = operandsOf(planned, values)
        if (!('reason' in found)) operands.set(planned, found)
      }
    } catch {
      // The same happened when the run was reported, to those who wanted to know.
      return
    }
    this.#runs.set(kind, { plan: run.plan, operands: (planned) => operands.get(planned), operand: values.operand })
  }
}

/** The same values, without holding on to what only this run computed. */
function withoutElements({ plan, value, operand, filterBlock }: RunValues): RunValues {
  const shaped = new Map<TapTensor, TapTensor>()
  const strip = (name: string, tensor: TapTensor | undefined) => {
    const origin = plan.origin(name)
    if (tensor === undefined || origin === 'initializer' || origin === 'constant') return tensor
    const found = shaped.get(tensor) ?? { type: tensor.type, dims: tensor.dims, bytes: notYet }
    shaped.set(tensor, found)
    return found
  }
  return {
    plan,
    filterBlock,
    value: (name) => strip(name, value(name)),
    operand(planned, name) {
      return strip(operandValue(planned.statement, name) ?? '', operand(planned, name))
    },
  }
}

function notYet(): never {
  throw new TypeError('the elements of a tensor are known when it is computed')
}

function kindOf(feeds: OrtValues): string {
  return JSON.stringify(Object.entries(feeds).map(([name, { type, dims }]: [string, OrtTensor]) => [name, type, dims]))
}
