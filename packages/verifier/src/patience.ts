import { AssayError } from '@tensor-assay/core'

/** What was waited for, or that it did not come, and for how long it could have been heard, milliseconds. */
export type Waited<T> =
  | { readonly isLate: false; readonly value: T; readonly waitedMs: number }
  | { readonly isLate: true }

/** Longest time that counts as one piece: what this process is busy beyond it does not count. */
const sliceMs = 1000

/**
 * Waits for what the other side may say, and counts only the time in which it could have been heard: an event loop that is
 * busy with other checks hears nobody, so a piece of waiting that took longer than it was meant to counts as what it was
 * meant to be.
 *
 * @param timeoutMs - Time after which it is late.
 * @throws {AssayError} `aborted`; and what `promise` throws.
 */
export async function patientlyAwait<T>(
  promise: Promise<T>,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Waited<T>> {
  let timer: ReturnType<typeof setTimeout> | undefined
  let onAbort: (() => void) | undefined
  let countedMs = 0
  let sliceBegan = performance.now()
  let slice = 0

  const end = new Promise<Waited<T>>((resolve, reject) => {
    function nextSlice(): void {
      sliceBegan = performance.now()
      slice = Math.min(sliceMs, timeoutMs - countedMs)
      timer = setTimeout(() => {
        countedMs += slice
        if (countedMs < timeoutMs) nextSlice()
        // What came during the last piece has a turn to be read, before anybody is called late.
        else timer = setTimeout(() => resolve({ isLate: true }), 0)
      }, slice)
    }
    nextSlice()
    onAbort = () => reject(new AssayError('aborted', 'the verifier was told to stop', { cause: signal?.reason }))
    if (signal?.aborted) onAbort()
    else signal?.addEventListener('abort', onAbort)
  })
  const arrival = promise.then((value): Waited<T> => {
    const waitedMs = Math.min(timeoutMs, countedMs + Math.min(slice, performance.now() - sliceBegan))
    return { isLate: false, value, waitedMs }
  })
  try {
    return await Promise.race([arrival, end])
  } finally {
    clearTimeout(timer)
    if (onAbort) signal?.removeEventListener('abort', onAbort)
    arrival.catch(() => undefined)
  }
}
