import type { Target } from '../target.ts'

/** Loaded one at a time, because some record a session first. */
const loaders: Readonly<Record<string, () => Promise<Target>>> = {
  control: async () => (await import('./control.ts')).control,
  frame: async () => (await import('./frame.ts')).frame,
  message: async () => (await import('./frame.ts')).message,
  opening: async () => (await import('./opening.ts')).opening,
  multiproof: async () => (await import('./opening.ts')).proof,
  'receipt-file': async () => (await import('./receipt.ts')).receiptFile,
  receipt: async () => (await import('./receipt.ts')).receipt,
  session: async () => (await import('./session.ts')).interactiveSession,
  'spot-session': async () => (await import('./session.ts')).spotSession,
  audit: async () => (await import('./audit.ts')).audit,
  manifest: async () => (await import('./files.ts')).manifest,
  relation: async () => (await import('./relation.ts')).relation,
  fingerprint: async () => (await import('./files.ts')).fingerprint,
  'identity-file': async () => (await import('./files.ts')).identityFiles,
  signature: async () => (await import('./files.ts')).signature,
  safetensors: async () => (await import('./weights.ts')).safetensors,
  npy: async () => (await import('./weights.ts')).npy,
  tfjs: async () => (await import('./weights.ts')).tfjs,
  onnx: async () => (await import('./onnx.ts')).onnx,
  'tcp-frames': async () => (await import('./transport.ts')).tcpFrames,
  'tcp-preamble': async () => (await import('./transport.ts')).tcpPreamble,
  'tcp-address': async () => (await import('./transport.ts')).address,
  'ws-messages': async () => (await import('./web-socket.ts')).wsMessages,
  'ws-upgrade': async () => (await import('./web-socket.ts')).wsUpgrade,
}

export const targetNames = Object.keys(loaders)

/** @throws {RangeError} If there is no target of this name. */
export async function targetNamed(name: string): Promise<Target> {
  const load = Object.hasOwn(loaders, name) ? loaders[name] : undefined
  if (load === undefined)
    throw new RangeError(`expected a target among ${targetNames.join(', ')}, got ${JSON.stringify(name)}`)
  return load()
}
