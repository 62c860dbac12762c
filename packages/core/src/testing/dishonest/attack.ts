import type { AssayErrorCode } from '../../errors.ts'
import type { Geometry } from '../../layout.ts'
import type { OpaqueOperation, Product, StoredTensor } from '../../product.ts'
import type { RandomStream } from '../../random/stream.ts'
import type { FindingReason, Status } from '../../verdict.ts'
import type { Lie } from './forger.ts'
import type { Interference } from './middle.ts'

/**
 * What must come of an attack: the reason of the verdict's first finding, or the code of the error by which the protocol
 * was broken. `pass`: nothing, because the lie changes nothing that a verdict is about. `limit`: the attack succeeds, as
 * the documentation says it does.
 */
export type Expected = FindingReason | AssayErrorCode | 'pass' | 'limit'

/**
 * What a verifier may know besides the weights: the input of a step, which is the A of its first operation; what was
 * delivered, which is the C of its last; the manifest; who the other side is.
 */
export type Knowledge = 'input' | 'output' | 'manifest' | 'identities'

interface Described {
  readonly name: string
  /** What the dishonest prover does, and what it hopes for. */
  readonly description: string
  /** What a verifier says that knows the weights only. */
  readonly expected: Expected
  /** What it says if it knows more, for each thing alone. `link-broken` is for operations that read another one's C. */
  readonly expectedWith?: Readonly<Partial<Record<Knowledge, Expected>>>
  /** What the verdict says of a limit. */
  readonly says?: { readonly status: Status; readonly claim?: 'adversarial' | 'fault' }
}

/** Lies about what was computed: for {@link dishonestBackend}. */
export interface ComputationAttack extends Described {
  readonly kind: 'computation'
  /** Whether the attack makes sense for a product; for every one when absent. */
  applies?(scene: Scene): boolean
  /** Tensors other than those of the run. */
  forge?(scene: Scene): Forged
  /** Another statement of the product; undefined leaves it out. Called after `forge`, with what it gave. */
  state?(product: Product, scene: Scene): Product | OpaqueOperation | undefined
}

/** Tensors of a product in the order in which they are committed to, as float32 values. */
export interface Values {
  /** Shape {@link Geometry.a}. */
  readonly a: Float32Array
  /** The columns of op(B), matrix by matrix: shape [matrices × n, k]. */
  readonly b: Float32Array
  /** Shape {@link Geometry.c}. */
  readonly c: Float32Array
  /** What is added: shape {@link Geometry.c}. */
  readonly addend?: Float32Array
}

export interface Forged {
  readonly a?: Float32Array
  readonly c?: Float32Array
  readonly addend?: Float32Array
}

/** A product as a dishonest prover sees it. */
export interface Scene {
  readonly product: Product
  readonly geometry: Geometry
  readonly values: Values
  /** B as the library holds it; a copy. */
  readonly stored: StoredTensor
  /** Products of the run that came before. */
  readonly earlier: readonly Scene[]
  /** Reproducible for the same place in a run. */
  readonly random: RandomStream
  /**
   * What an honest run gives for other operands: C, shape {@link Geometry.c}, of float64 arithmetic rounded to float32.
   */
  evaluate(operands: {
    readonly a?: Float32Array
    readonly b?: Float32Array
    readonly addend?: Float32Array
  }): Float32Array
}

/** Lies about what was committed to, asked or said: for {@link dishonestChannel}. */
export type ProtocolAttack = ProverAttack | MiddleAttack

interface ProtocolAttackBase extends Described {
  readonly kind: 'protocol'
  /** Sessions of one verifier that the attack takes, one after the other; 1. The last one counts. */
  readonly sessions?: number
  /** What the verifier must demand for the attack to make sense. */
  readonly policy?: AttackPolicy
  /** What the prover's side says of it, where it is the honest one; the same unless given. */
  readonly prover?: Expected
  readonly proverWith?: Readonly<Partial<Record<Knowledge, Expected>>>
}

export interface AttackPolicy {
  readonly mode?: 'interactive' | 'spot'
  /** Every row is opened. */
  readonly everyRow?: boolean
  readonly window?: number
  readonly maxOperations?: number
  readonly openingTimeoutMs?: number
  readonly idleTimeoutMs?: number
  readonly handshakeTimeoutMs?: number
}

/** The prover itself lies, and hashes and signs whatever makes the lie consistent. */
export interface ProverAttack extends ProtocolAttackBase {
  readonly by: 'prover'
  /** Called for each session. */
  lie(): Lie
}

/** Somebody between two honest sides changes what they say. */
export interface MiddleAttack extends ProtocolAttackBase {
  readonly by: 'middle'
  /** Called for each session. */
  interfere(): Interference
}

export type Attack = ComputationAttack | ProtocolAttack
