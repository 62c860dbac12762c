export type {
  Attack,
  AttackPolicy,
  ComputationAttack,
  Expected,
  Forged,
  Knowledge,
  MiddleAttack,
  ProtocolAttack,
  ProverAttack,
  Scene,
  Values,
} from './dishonest/attack.ts'
export { computationAttacks } from './dishonest/computation/index.ts'
export { type DishonestBackend, type DishonestOptions, dishonestBackend } from './dishonest/dishonest-backend.ts'
export { dishonestChannel } from './dishonest/dishonest-channel.ts'
export type { Challenge, ForgedOperation, ForgedTensor, Forger, Lie } from './dishonest/forger.ts'
export type { Interference } from './dishonest/middle.ts'
export type { Outgoing } from './dishonest/outgoing.ts'
export { protocolAttacks } from './dishonest/protocol/index.ts'
export { type MemoryTransportOptions, memoryTransport } from './memory-transport.ts'
export type { ReferenceActivation } from './reference/activation.ts'
export type { Conv2dOptions } from './reference/conv2d.ts'
export type { ReferenceKernels, ReferenceLibrary } from './reference/library.ts'
export type { MatMulOptions } from './reference/mat-mul.ts'
export type { ReferenceTensor } from './reference/tensor.ts'
export { type ReferenceBackend, referenceBackend } from './reference-backend.ts'
