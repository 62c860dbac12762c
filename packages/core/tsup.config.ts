import { defineConfig, type Options } from 'tsup'

const options: Options = { format: ['esm'], dts: false, sourcemap: true, target: 'node20' }

export default defineConfig([
  {
    ...options,
    entry: {
      index: 'src/index.ts',
      'conformance/index': 'src/conformance/index.ts',
      'node/index': 'src/node/index.ts',
      'testing/index': 'src/testing/index.ts',
    },
  },
  // A thread is started from one file, which bundlers may copy without looking into it: nothing is left to import.
  { ...options, entry: { worker: 'src/commitment/worker.ts' }, noExternal: [/^[^.]/], splitting: false },
])
