/**
 * The word that `given` was probably meant to be: the one that the fewest single-character edits lead to, if those are at
 * most half of its characters.
 */
export function nearest(given: string, words: Iterable<string>): string | undefined {
  let best: string | undefined
  let fewest = Math.floor(given.length / 2) + 1
  for (const word of words) {
    const edits = distance(given, word)
    if (edits < fewest) [best, fewest] = [word, edits]
  }
  return best
}

/** Levenshtein distance, where swapping two neighbours counts once. */
function distance(a: string, b: string): number {
  let [older, old] = [[] as number[], Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1
      row[j] = Math.min(old[j]! + 1, row[j - 1]! + 1, old[j - 1]! + change)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) row[j] = Math.min(row[j]!, older[j - 2]! + 1)
    }
    older = old
    old = row
  }
  return old[b.length]!
}
