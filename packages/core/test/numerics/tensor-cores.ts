import type { Engine } from './engines.ts'

/** ⌊log₂|x|⌋ for a float64 that is not subnormal. */
function exponent(x: number): number {
  const guess = Math.floor(Math.log2(Math.abs(x)))
  return 2 ** (guess + 1) <= Math.abs(x) ? guess + 1 : 2 ** guess > Math.abs(x) ? guess - 1 : guess
}

const towardsZero = (x: number, step: number): number => (x < 0 ? -Math.floor(-x / step) : Math.floor(x / step)) * step

/** Written apart from the emulation under test: addends in a list, every one cut off, then the sum. */
function core(name: string, block: number, extraBits: number): Engine {
  return {
    name,
    dot(a, columns, offset) {
      let sum = 0
      for (let first = 0; first < a.length; first += block) {
        const addends = [sum]
        for (let t = first; t < Math.min(first + block, a.length); t++) addends.push(a[t]! * columns[offset + t]!)
        const largest = Math.max(...addends.map(Math.abs))
        if (largest === 0) continue
        const step = 2 ** (exponent(largest) - 23 - extraBits)
        const exact = addends.reduce((total, addend) => total + towardsZero(addend, step), 0)
        sum = exact === 0 ? 0 : towardsZero(exact, 2 ** (exponent(exact) - 23))
      }
      return sum
    },
  }
}

/** Partial sums over slices of k, each by a tensor core, added in float32: what a library does with a large k. */
function sliced(engine: Engine, slices: number): Engine {
  return {
    name: `${engine.name} in ${slices} slices`,
    dot(a, columns, offset) {
      const size = Math.ceil(a.length / slices / 16) * 16
      let total = 0
      for (let first = 0; first < a.length; first += size) {
        const part = a.subarray(first, first + size)
        total = Math.fround(total + engine.dot(part, columns, offset + first))
      }
      return total
    },
  }
}

export const v100 = core('V100', 4, 0)
export const a100 = core('A100', 8, 1)
export const h100 = core('H100', 16, 2)
const a100Tf32 = core('A100, TF32', 4, 1)
const h100Tf32 = core('H100, TF32', 8, 2)

export const halfCores: readonly Engine[] = [v100, a100, h100, sliced(a100, 4)]
export const tf32Cores: readonly Engine[] = [a100Tf32, h100Tf32, sliced(h100Tf32, 2)]
