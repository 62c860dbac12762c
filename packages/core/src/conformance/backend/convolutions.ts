import type { BackendCapability, BackendCase } from '../backend.ts'
import { type Conv2d, numbers, type Program } from './program.ts'
import { checkWatched } from './statement.ts'
import { watch } from './watch.ts'

type Options = Partial<Pick<Conv2d, 'strides' | 'dilations' | 'padding' | 'groups' | 'bias' | 'addend' | 'activation'>>

const inChannels = 4
const outChannels = 6

/** A convolution of two samples of 6×5 with 4 channels. */
function convolution(channelsLast: boolean, kernel: readonly [number, number], options: Options): Program {
  const { groups = 1 } = options
  const filterChannels = inChannels / groups
  return {
    inputs: [
      numbers(channelsLast ? [2, 6, 5, inChannels] : [2, inChannels, 6, 5], 1),
      numbers(channelsLast ? [...kernel, filterChannels, outChannels] : [outChannels, filterChannels, ...kernel], 2),
      numbers([outChannels], 3),
      // Of the shape of a result of a 1×1 kernel.
      numbers(channelsLast ? [2, 6, 5, outChannels] : [2, outChannels, 6, 5], 4),
    ],
    operations: [
      {
        kind: 'conv2d',
        x: 0,
        filters: 1,
        channelsLast,
        groups,
        strides: [1, 1],
        dilations: [1, 1],
        padding: [0, 0],
        ...options,
      },
    ],
  }
}

type Pair = readonly [number, number]

const ways: readonly (readonly [string, Pair, Options, readonly BackendCapability[]])[] = [
  ['1×1', [1, 1], {}, []],
  ['3×2', [3, 2], {}, []],
  ['padded', [3, 3], { padding: [1, 1] }, []],
  ['strided and padded', [3, 3], { strides: [2, 2], padding: [1, 1] }, []],
  ['dilated', [2, 2], { dilations: [2, 2] }, []],
  ['with a bias', [3, 3], { bias: 2 }, ['bias']],
  ['with a bias and relu', [3, 3], { bias: 2, activation: 'relu' }, ['bias', 'relu']],
  ['with an addend', [1, 1], { addend: 3 }, ['addend']],
  ['with an addend and relu', [1, 1], { addend: 3, activation: 'relu' }, ['addend', 'relu']],
]

const cases = (['conv2d-channels-last', 'conv2d-channels-first'] as const).flatMap((capability) => {
  const channelsLast = capability === 'conv2d-channels-last'
  const order = `channels ${channelsLast ? 'last' : 'first'}`
  return ways.map(([name, kernel, options, requires]) => ({
    name: `${order}, ${name}`,
    requires: [capability, ...requires],
    program: convolution(channelsLast, kernel, options),
  }))
})

const groups: readonly BackendCapability[] = ['conv2d-channels-first', 'conv2d-groups']

/** Convolutions as products of patches and filters. */
export const convolutions: readonly BackendCase[] = [
  ...cases,
  { name: 'channels first, in groups', requires: groups, program: convolution(false, [3, 2], { groups: 2 }) },
  {
    name: 'channels first, in groups with a bias',
    requires: [...groups, 'bias' as const],
    program: convolution(false, [1, 1], { groups: 2, bias: 2 }),
  },
].map(({ name, requires, program }) => ({
  name: `a convolution is reported as what it was: ${name}`,
  requires,
  run: async (harness) => checkWatched(harness, program, await watch(harness, program)),
}))
