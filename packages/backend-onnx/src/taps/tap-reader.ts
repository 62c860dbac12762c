import type { NewGraph } from '@tensor-assay/onnx-model'
import { type GraphPlan, type OperandName, type PlannedProduct, wholeValues } from '../graph/plan.ts'
import type { OrtFetches, OrtHandler, OrtTensor, OrtValues } from '../ort/library.ts'
import type { ForeseenRun, WantedRows } from '../session/session-observer.ts'
import { type Gathers, gatherFeeds, idleFeeds } from './gathers.ts'
import type { GatheredRows } from './tap-tensor.ts'

/** What was read of a run. */
export interface ReadRun {
  /** What ONNX Runtime gave for the outputs that the user asked for, in its order. */
  readonly outputs: OrtValues
  /** A value by its name in the plan, if all of it was read. */
  value(name: string): OrtTensor | undefined
  /** Whether that was fetched for this run alone, and not for the user. */
  isOurs(name: string): boolean
  /** Rows of an operand that the run computed, if no more was read. */
  rows(planned: PlannedProduct, operand: OperandName): GatheredRows | undefined
}

/**
 * Gets at the values that a run computes. Either every tapped value is fetched whole, which the binding copies into
 * JavaScript's memory; or nodes of ours copy the wanted rows, and those alone are fetched.
 *
 * Values that are the same in every run are fetched in the first one and kept for as long as the session lives: they are
 * derived from its weights, and take as much memory.
 *
 * The user's outputs are those of the plain session, bit for bit, and a run of which nothing is read costs next to nothing.
 */
export class TapReader {
  /** Added to the graph. Its inputs and outputs come behind the user's own. */
  readonly addition: NewGraph
  readonly #plan: GraphPlan
  readonly #own: ReadonlySet<string>
  readonly #gathers: Gathers
  readonly #idle: OrtValues
  /** Values that are needed whole even where rows are gathered. */
  readonly #whole: readonly string[]
  readonly #constants = new Map<string, OrtTensor>()

  /**
   * @param outputNames - The outputs of the user's session.
   */
  constructor(plan: GraphPlan, gathers: Gathers, outputNames: readonly string[]) {
    this.#plan = plan
    this.#own = new Set(outputNames)
    this.#gathers = gathers
    this.#idle = idleFeeds(gathers)
    const whole = new Set(plan.products.flatMap(({ statement }) => wholeValues(statement)))
    this.#whole = plan.taps.filter((name) => whole.has(name))
    const { nodes, inputs, outputs } = gathers.addition
    const declared = [...plan.taps, ...plan.constants].filter((name) => !this.#own.has(name))
    this.addition = {
      nodes: [...plan.added, ...nodes],
      inputs,
      outputs: [...declared.map((name) => ({ name })), ...outputs],
    }
  }

  /** Whether rows can be read without reading everything. */
  get canGather(): boolean {
    return this.#gathers.all.length > 0
  }

  /** A value that every run computes alike, once one was read whole. */
  constant(name: string): OrtTensor | undefined {
    return this.#constants.get(name)
  }

  /** Runs the session and reads nothing. */
  runUnread(handler: OrtHandler, feeds: OrtValues, fetches: OrtFetches, options: object): Promise<OrtValues> {
    return handler.run({ ...feeds, ...this.#idle }, fetches, options)
  }

  /** Runs the session and reads every value of the plan. */
  async runWhole(handler: OrtHandler, feeds: OrtValues, fetches: OrtFetches, options: object): Promise<ReadRun> {
    const missing = this.#plan.constants.filter((name) => !this.#constants.has(name))
    const results = await handler.run(
      { ...feeds, ...this.#idle },
      withOutputs(fetches, [...this.#plan.taps, ...missing]),
      options,
    )
    for (const name of missing) {
      // A constant that is an output of the model belongs to the user, who may change it.
      const tensor = tensorOf(results, name)
      if (tensor !== undefined && !this.#own.has(name)) this.#constants.set(name, tensor)
    }
    return { ...this.#read(results, fetches), rows: () => undefined }
  }

  /**
   * Runs the session and reads the wanted rows.
   *
   * @returns Undefined, without having run anything, if they cannot be copied out by themselves.
   */
  async runForRows(
    handler: OrtHandler,
    feeds: OrtValues,
    fetches: OrtFetches,
    options: object,
    run: ForeseenRun,
    wanted: WantedRows,
  ): Promise<ReadRun | undefined> {
    const indices = gatherFeeds(this.#gathers, run, wanted)
    if (indices === undefined) return undefined
    const gathered = this.#gathers.all.filter(({ product }) => wanted.has(product))
    const results = await handler.run(
      { ...feeds, ...indices },
      withOutputs(fetches, [...this.#whole, ...gathered.map(({ output }) => output)]),
      options,
    )
    const rows = new Map<PlannedProduct, Map<OperandName, GatheredRows>>()
    for (const { product, operand, output } of gathered) {
      const operands = rows.get(product) ?? new Map<OperandName, GatheredRows>()
      const { data } = results[output]!
      operands.set(operand, { rows: wanted.get(product)![operand]!, data: data as ArrayBufferView })
      rows.set(product, operands)
    }
    return { ...this.#read(results, fetches), rows: (planned, operand) => rows.get(planned)?.get(operand) }
  }

  #read(results: OrtValues, fetches: OrtFetches): Omit<ReadRun, 'rows'> {
    return {
      outputs: Object.fromEntries(Object.entries(results).filter(([name]) => Object.hasOwn(fetches, name))),
      value: (name) => tensorOf(results, name) ?? this.#constants.get(name),
      isOurs: (name) => !Object.hasOwn(fetches, name) && !this.#own.has(name) && !this.#constants.has(name),
    }
  }
}

function withOutputs(fetches: OrtFetches, names: readonly string[]): OrtFetches {
  const wanted: Record<string, OrtTensor | null> = { ...fetches }
  for (const name of names) wanted[name] ??= null
  return wanted
}

function tensorOf(values: OrtValues, name: string): OrtTensor | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined
}
