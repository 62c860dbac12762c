import { geometryOf, type Matrix, type OperationRecord, type ProductRecord, row, rowBytes } from '@tensor-assay/core'
import type { Ledger } from './ledger.ts'
import type { OpenedProduct, OpenedTensor } from './opened.ts'

interface Output {
  readonly sequence: number
  readonly same: boolean
}

/** Holds the first A and the last C of each step against what the user sent and received. */
export class Bindings {
  private readonly inputs: readonly Matrix[]
  private readonly outputs: readonly Matrix[]
  private readonly first = new Map<number, number>()
  private readonly last = new Map<number, number>()
  private readonly inputsSeen = new Set<number>()
  private readonly outputsSeen = new Map<number, Output>()

  constructor(inputs: readonly Matrix[], outputs: readonly Matrix[]) {
    this.inputs = inputs
    this.outputs = outputs
  }

  /** Notes the order of operations. */
  step({ step, sequence }: OperationRecord): void {
    if (this.inputs[step] === undefined && this.outputs[step] === undefined) return
    if (!this.first.has(step)) this.first.set(step, sequence)
    this.last.set(step, sequence)
  }

  /** Whether an operation must be audited because it may be the one that is bound. */
  wants({ step, sequence, layout }: ProductRecord): boolean {
    if (this.inputs[step] && this.first.get(step) === sequence) return true
    const output = this.outputs[step]
    const { c } = geometryOf(layout)
    return output !== undefined && output.rows === c.rows && output.cols === c.cols
  }

  compare(record: ProductRecord, opened: OpenedProduct, ledger: Ledger): void {
    const { step, sequence, operation } = record
    const geometry = geometryOf(record.layout)
    const input = this.inputs[step]
    if (input && this.first.get(step) === sequence) {
      const problem = difference(input, opened.a, geometry.a.rows)
      if (problem) {
        ledger.find('input-mismatch', `A is not the input of step ${step}: ${problem.message}`, {
          sequence,
          operation,
          evidence: { row: problem.row },
        })
      }
      this.inputsSeen.add(step)
    }
    const output = this.outputs[step]
    if (output) {
      const same = difference(output, opened.c, geometry.c.rows) === undefined
      if ((this.outputsSeen.get(step)?.sequence ?? -1) < sequence) this.outputsSeen.set(step, { sequence, same })
    }
  }

  finish(ledger: Ledger): void {
    for (const step of this.inputs.keys()) {
      if (this.inputsSeen.has(step)) ledger.coverage.inputsBound++
      else ledger.find('input-unbound', `no product was checked that reads the input of step ${step}`)
    }
    for (const step of this.outputs.keys()) {
      const seen = this.outputsSeen.get(step)
      if (seen === undefined || seen.sequence !== this.last.get(step)) {
        ledger.find('output-unbound', `the last operation of step ${step} was not checked, so its output is not bound`)
      } else if (seen.same) ledger.coverage.outputsBound++
      else
        ledger.find(
          'output-mismatch',
          `the C of the last product of step ${step} is not the output that was delivered`,
          { sequence: seen.sequence },
        )
    }
  }
}

function difference(
  expected: Matrix,
  opened: OpenedTensor,
  rows: number,
): { row: number; message: string } | undefined {
  if (expected.rows !== rows || expected.cols !== opened.cols || expected.dtype !== opened.dtype) {
    const got = `${opened.dtype} ${rows}×${opened.cols}`
    return {
      row: 0,
      message: `expected ${expected.dtype} ${expected.rows}×${expected.cols}, the prover committed to ${got}`,
    }
  }
  const stride = rowBytes(expected)
  for (const [i, index] of opened.indices.entries()) {
    const want = row(expected, index)
    for (let j = 0; j < stride; j++) {
      if (opened.bytes[i * stride + j] !== want[j]) return { row: index, message: `row ${index} differs` }
    }
  }
  return undefined
}
