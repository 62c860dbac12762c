// A program that knows nothing of audits: node app.mjs <folder of the model>
import { basename, dirname, resolve } from 'node:path'
import { env, pipeline } from '@huggingface/transformers'

const folder = resolve(process.argv[2] ?? 'model')
env.allowRemoteModels = false
env.localModelPath = dirname(folder)

const classify = await pipeline('text-classification', basename(folder), { dtype: 'fp32', device: 'cpu' })
for (const text of ['the honest answer was good', 'a slow and bad model', 'the audit is not fast']) {
  console.log(text, await classify(text))
}
