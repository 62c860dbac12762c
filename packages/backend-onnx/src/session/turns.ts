let last: Promise<unknown> = Promise.resolve()

/**
 * Runs `body` when those before it are done. What will be read of a run is decided before it, by the number of products that
 * were reported until then, so no other run may be reported between. The binding runs one session at a time anyway.
 */
export function inTurn<T>(body: () => Promise<T>): Promise<T> {
  const turn = last.then(body)
  last = turn.catch(() => undefined)
  return turn
}
