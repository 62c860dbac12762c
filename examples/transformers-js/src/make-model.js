// Makes a text classifier of two transformer layers with random weights, as a folder that transformers.js loads:
// node make-model.js <folder>
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeModel } from '@tensor-assay/onnx-model'
import { classifier } from './classifier.js'

const [folder] = process.argv.slice(2)
if (folder === undefined) throw new TypeError('usage: node make-model.js <folder>')

const words = [
  'the',
  'a',
  'is',
  'was',
  'audit',
  'model',
  'good',
  'bad',
  'fast',
  'slow',
  'honest',
  'answer',
  'and',
  'not',
]
const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']
const vocabulary = [...special, ...words]
const vocab = Object.fromEntries(vocabulary.map((word, id) => [word, id]))

await save('config.json', {
  architectures: ['BertForSequenceClassification'],
  model_type: 'bert',
  id2label: { 0: 'NEGATIVE', 1: 'POSITIVE' },
  label2id: { NEGATIVE: 0, POSITIVE: 1 },
})
await save('tokenizer_config.json', { tokenizer_class: 'BertTokenizer', model_max_length: 64, do_lower_case: true })
await save('tokenizer.json', {
  version: '1.0',
  added_tokens: special.map((content, id) => ({ id, content, special: true, single_word: false, normalized: false })),
  normalizer: { type: 'BertNormalizer', lowercase: true, clean_text: true, handle_chinese_chars: true },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [
      { SpecialToken: { id: '[CLS]', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: '[SEP]', type_id: 0 } },
    ],
    special_tokens: Object.fromEntries(
      ['[CLS]', '[SEP]'].map((token) => [token, { id: token, ids: [vocab[token]], tokens: [token] }]),
    ),
  },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab,
  },
})
await mkdir(join(folder, 'onnx'), { recursive: true })
const graph = classifier({ words: vocabulary.length, layers: 2, d: 32, heads: 4, labels: 2 })
await writeFile(join(folder, 'onnx/model.onnx'), encodeModel({ graph, opsets: { '': 17 }, irVersion: 8 }))

/**
 * @param {string} name
 * @param {object} content
 */
async function save(name, content) {
  await mkdir(/** @type {string} */ (folder), { recursive: true })
  await writeFile(join(/** @type {string} */ (folder), name), JSON.stringify(content, undefined, 2))
}
