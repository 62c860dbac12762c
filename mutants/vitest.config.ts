import { fileURLToPath } from 'node:url'
import { mergeConfig } from 'vitest/config'
import base from '../vitest.config.ts'
import { idOf, mutated } from './src/apply.ts'
import { mutants } from './src/list/index.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const wanted = process.env.MUTANT
const mutant = mutants.find((one) => idOf(one) === wanted)
if (wanted !== undefined && mutant === undefined) throw new RangeError(`there is no mutant ${JSON.stringify(wanted)}`)

/** The tests of the repository, on sources of which one is changed on its way to them. The files stay as they are. */
export default mergeConfig(base, {
  root,
  plugins: [
    {
      name: 'mutant',
      enforce: 'pre',
      transform(source: string, id: string) {
        if (mutant === undefined || id.split('?')[0] !== `${root}${mutant.file}`) return undefined
        return { code: mutated(source, mutant), map: null }
      },
    },
  ],
  test: { bail: 1, maxWorkers: 2 },
})
