import { startHashingThread } from './hashing-thread.ts'
import type { HashSuite } from './suite.ts'
import { type CommitInput, type CommittedTensor, commitTensorInSteps } from './tensor.ts'

/** Commits to tensors behind the model's back. */
export interface Committer {
  /**
   * Commits to a matrix, whose memory belongs to the committer until the promise settles. It comes back with the result,
   * which may hold it under another view.
   */
  commit(input: CommitInput): Promise<Commitment>
}

export interface Commitment {
  readonly committed: CommittedTensor
  /** The bytes of the matrix. */
  readonly bytes: Uint8Array
}

/**
 * Hashes in a thread beside this one as soon as it runs, so that a commitment costs the model no more than the copy of the
 * tensor; until then, and where no thread can be started, in this thread.
 *
 * @param pause - Lets other work of this thread have its turn.
 */
export function committer(suite: HashSuite, pause: () => Promise<void>): Committer {
  const here = inlineCommitter(suite, pause)
  return {
    commit(input) {
      const thread = startHashingThread()
      return thread.isReady ? thread.commit(suite.id, input) : here.commit(input)
    },
  }
}

/** Hashes in this thread, a few milliseconds at a time, one matrix after the other. */
export function inlineCommitter(suite: HashSuite, pause: () => Promise<void>): Committer {
  let tail: Promise<unknown> = Promise.resolve()
  return {
    commit(input) {
      const result = tail.then(async () => {
        // Not in the caller's stack: that is the user's product.
        await pause()
        return { committed: await commitTensorInSteps(suite, input, pause), bytes: input.matrix.bytes }
      })
      tail = result.catch(() => undefined)
      return result
    },
  }
}
