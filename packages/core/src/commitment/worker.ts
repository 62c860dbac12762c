/**
 * What the hashing thread runs: takes matrices, gives them back with their commitments.
 *
 * @module
 */
import { buffersOf, type CommitReply, type CommitRequest } from './hashing-thread.ts'
import { loadSuite } from './suite.ts'
import { commitTensor } from './tensor.ts'

interface Port {
  postMessage(reply: CommitReply, transfer?: ArrayBuffer[]): void
}

function answer({ id, suite, input }: CommitRequest, port: Port): void {
  try {
    const committed = commitTensor(loadSuite(suite), input)
    const { bytes } = input.matrix
    const { tree, salts } = committed
    port.postMessage({ id, commitment: { committed, bytes } }, buffersOf(bytes, tree.nodes, salts))
  } catch (error) {
    port.postMessage({ id, error })
  }
}

const parent = globalThis.process?.getBuiltinModule?.('node:worker_threads')?.parentPort
if (parent) {
  parent.on('message', (request: CommitRequest) => answer(request, parent))
  parent.postMessage('ready')
} else {
  const scope = globalThis as unknown as Port & EventTarget
  scope.addEventListener('message', (event) => answer((event as Event & { readonly data: CommitRequest }).data, scope))
  scope.postMessage('ready')
}
