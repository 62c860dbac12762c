/**
 * How far counts are from a uniform distribution, as standard deviations of χ² (mean d, variance 2d for d = bins − 1):
 * beyond 4.5 happens by chance less than once in ten thousand for the numbers of bins used here.
 */
export function chiSquareDeviation(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length
  const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
  const degrees = counts.length - 1
  return (chiSquare - degrees) / Math.sqrt(2 * degrees)
}

/** How often each of `bins` results comes. */
export function countBins(bins: number, samples: number, draw: () => number): number[] {
  const counts = new Array<number>(bins).fill(0)
  for (let i = 0; i < samples; i++) counts[draw()]!++
  return counts
}
