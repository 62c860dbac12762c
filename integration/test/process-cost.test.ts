import { executionAsyncResource } from 'node:async_hooks'
import { setTimeout } from 'node:timers/promises'
import { createVerifier } from '@tensor-assay/verifier'
import { expect, test } from 'vitest'
import { audit } from '../support/audit.ts'
import { modelWeights } from '../support/model.ts'
import { plainLibrary } from '../support/plain-backend.ts'

/**
 * In Node 20 each AsyncLocalStorage that was ever entered leaves a symbol on every promise and timer of the process from
 * then on. One for each session made the 500th session thirty times as slow as the first, and all of the user's own
 * asynchronous code with it.
 */
test('sessions that are over cost the process nothing', async () => {
  const verifier = createVerifier({ weights: modelWeights })
  async function symbolsInside(): Promise<number> {
    let symbols = 0
    const run = async () => {
      await setTimeout(0)
      symbols = Object.getOwnPropertySymbols(executionAsyncResource()).length
    }
    await audit({ verifier, backend: plainLibrary().backend, run })
    return symbols
  }
  const first = await symbolsInside()
  for (let i = 0; i < 20; i++) await symbolsInside()
  expect(await symbolsInside()).toBe(first)
})
