import { mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bytesSource, maxModelJsonBytes, maxShards, maxTensors, readTfjs, tfjsWeights } from '../../src/index.ts'
import { bytesOf, concat, expectError, folderOf } from './helpers.ts'
import { readGroup, readManifest } from './tfjs-helpers.ts'

describe('readTfjs', () => {
  const w = { name: 'w', shape: [2], dtype: 'float32' }
  const data = bytesOf(new Float32Array([1, 2]))

  it('reads several groups, each from its own shards', async () => {
    const other = bytesOf(new Float32Array([3, 4]))
    const groups = [
      { paths: ['shard0.bin'], weights: [w] },
      { paths: [], weights: [] },
      { paths: ['shard1.bin', 'shard2.bin', 'shard3.bin'], weights: [{ ...w, name: 'x' }] },
    ]
    const store = await readManifest(groups, data, other.slice(0, 3), new Uint8Array(0), other.slice(3))
    expect(await store.weights[1]!.read()).toEqual(other)
  })

  it('refuses a shard that is too short or too long', async () => {
    await expectError(
      readGroup([w], data.slice(1)),
      'weights-truncated',
      /weight "w" ends at byte 8, but there are only 7/,
    )
    await expectError(
      readGroup([w], concat(data, data)),
      'weights-unreadable',
      /shard0\.bin: 8 bytes at the end belong to no weight/,
    )
    await expectError(readGroup([w]), 'weights-truncated', /a group without shards/)
    // The total is right, but the groups are cut elsewhere: two ways of reading would see different weights.
    const groups = [0, 1].map((i) => ({ paths: [`shard${i}.bin`], weights: [{ ...w, name: `${i}` }] }))
    await expectError(
      readManifest(groups, concat(data, data.slice(0, 4)), data.slice(4)),
      'weights-unreadable',
      /belong to/,
    )
  })

  it('refuses text whose lengths lead past the end', async () => {
    const text = { name: 's', shape: [2], dtype: 'string' }
    await expectError(readGroup([text], new Uint8Array([255, 255, 255, 255, 0, 0, 0, 0])), 'weights-truncated', /"s"/)
    await expectError(readGroup([{ ...text, shape: [2 ** 52] }], new Uint8Array(8)), 'weights-truncated', /"s"/)
    await expectError(
      readGroup([text], new Uint8Array([0, 0, 0, 0, 1, 0, 0, 0])),
      'weights-truncated',
      /"s" ends at byte 9/,
    )
  })

  it('refuses a file of which nothing can be held', async () => {
    const complex = { name: 'c', shape: [1], dtype: 'complex64' }
    await expectError(
      readGroup([complex], new Uint8Array(8)),
      'dtype-unsupported',
      /none of its 1 tensors can be held; "c"/,
    )
  })

  const affine = { scale: 1, min: 0 }
  it.each([
    [{ ...w, dtype: 'float64' }, 'dtype-unsupported', /weight "w" has unknown dtype "float64"/],
    [{ ...w, dtype: 'toString' }, 'dtype-unsupported', /unknown dtype "toString"/],
    [{ ...w, dtype: undefined }, 'dtype-unsupported', /unknown dtype undefined/],
    [{ ...w, name: 1 }, 'weights-unreadable', /has no name/],
    [{ ...w, shape: [-2] }, 'weights-unreadable', /-2 is not a dimension/],
    [{ ...w, shape: null }, 'weights-unreadable', /shape is not a list/],
    [{ ...w, quantization: null }, 'dtype-unsupported', /does not unpack undefined into float32/],
    [{ ...w, quantization: { dtype: 'int8', ...affine } }, 'dtype-unsupported', /does not unpack "int8" into float32/],
    [{ ...w, quantization: { dtype: 'toString', ...affine } }, 'dtype-unsupported', /"toString"/],
    [{ ...w, dtype: 'int32', quantization: { dtype: 'float16' } }, 'dtype-unsupported', /"float16" into int32/],
    [{ ...w, dtype: 'bool', quantization: { dtype: 'uint8', ...affine } }, 'dtype-unsupported', /"uint8" into bool/],
    [
      { ...w, quantization: { dtype: 'uint8', scale: 1 } },
      'weights-unreadable',
      /finite scale and min, got 1 and undefined/,
    ],
    [{ ...w, quantization: { dtype: 'uint8', scale: '1', min: 0 } }, 'weights-unreadable', /got "1" and 0/],
  ] as const)('refuses the entry %o', async (entry, code, message) => {
    await expectError(readGroup([entry], data), code, message)
  })

  it.each([
    ['not JSON', '{', /expected JSON/],
    ['a list', '[]', /expected a model\.json with a list weightsManifest/],
    ['a topology alone', '{"modelTopology":{}}', /expected a model\.json/],
    ['a manifest that is no list', '{"weightsManifest":{}}', /expected a model\.json/],
    ['a group that is no object', '{"weightsManifest":[null]}', /lists paths and weights/],
    ['a group without paths', '{"weightsManifest":[{"weights":[]}]}', /lists paths and weights/],
    ['a weight that is no object', '{"weightsManifest":[{"paths":[],"weights":[null]}]}', /has no name/],
    [
      'a factor beyond float64',
      '{"weightsManifest":[{"paths":[],"weights":[{"name":"w","shape":[1],"dtype":"float32","quantization":{"dtype":"uint8","min":0,"scale":1e999}}]}]}',
      /finite/,
    ],
    [
      'a shard listed twice',
      '{"weightsManifest":[{"paths":["a.bin"],"weights":[]},{"paths":["./a.bin"],"weights":[]}]}',
      /listed twice/,
    ],
  ])('refuses a model.json that is %s', async (_, json, message) => {
    const source = bytesSource(new TextEncoder().encode(json), 'model.json')
    await expectError(
      readTfjs(source, () => expect.fail('opened a shard')),
      'weights-unreadable',
      message,
    )
  })

  it('refuses a model.json over the limit before it reads it', async () => {
    const source = { name: 'model.json', byteLength: maxModelJsonBytes + 1, read: () => expect.fail('was read') }
    await expectError(
      readTfjs(source, () => expect.fail('opened')),
      'weights-unreadable',
      /over the limit of 67108864/,
    )
  })

  it('refuses more tensors and more shards than the limits', async () => {
    const none = { name: 'w', shape: [0], dtype: 'float32' }
    const tensors = new Array(maxTensors + 1).fill(none)
    await expectError(readGroup(tensors), 'weights-unreadable', /100001 tensors are over the limit of 100000/)
    const paths = Array.from({ length: maxShards + 1 }, (_, i) => `${i}.bin`)
    const many = readManifest([{ paths, weights: [] }])
    await expectError(many, 'weights-unreadable', /10001 shards are over the limit of 10000/)
  })

  it.each([
    '../secret.bin',
    '..',
    '.',
    './',
    '',
    'a/../../secret.bin',
    'a/..',
    '/etc/passwd',
    '//host/share',
    'a//b.bin',
    '..\\secret.bin',
    'C:secret.bin',
    'C:/secret.bin',
    'file:///etc/passwd',
    'https://example.org/shard.bin',
    'a\0.bin',
    'a\n.bin',
    'a'.repeat(1025),
    7,
    null,
    ['a.bin'],
  ])('refuses the shard path %o', async (path) => {
    const manifest = [{ paths: [path], weights: [w] }]
    const source = bytesSource(new TextEncoder().encode(JSON.stringify({ weightsManifest: manifest })), 'model.json')
    const opened = readTfjs(source, () => expect.fail('opened a shard'))
    await expectError(opened, 'weights-unreadable', /must name a file inside the folder of model\.json/)
  })
})

describe('tfjsWeights', () => {
  const data = bytesOf(new Float32Array([1, 2]))
  const manifest = (path: string) =>
    JSON.stringify({ weightsManifest: [{ paths: [path], weights: [{ name: 'w', shape: [2], dtype: 'float32' }] }] })

  it('reads shards in folders below', async () => {
    const folder = await folderOf({ 'model.json': manifest('./deep/..shard.bin') })
    await mkdir(join(folder, 'deep'))
    await writeFile(join(folder, 'deep/..shard.bin'), data)
    const [weight] = (await tfjsWeights(join(folder, 'model.json'))).weights
    expect(await weight!.read()).toEqual(data)
  })

  it('follows a link inside the folder and none that leads out of it', async () => {
    const folder = await folderOf({ 'secret.bin': data })
    const model = join(folder, 'model')
    await mkdir(model)
    await writeFile(join(model, 'model.json'), manifest('shard.bin'))
    await symlink('../secret.bin', join(model, 'shard.bin'))
    await expectError(tfjsWeights(join(model, 'model.json')), 'weights-unreadable', /shard\.bin: this shard is a link/)
    await rename(join(folder, 'secret.bin'), join(model, 'real.bin'))
    await symlink('real.bin', join(model, 'link.bin'))
    await writeFile(join(model, 'model.json'), manifest('link.bin'))
    expect((await tfjsWeights(join(model, 'model.json'))).weights).toHaveLength(1)
  })

  it('names a shard that is not there', async () => {
    const folder = await folderOf({ 'model.json': manifest('shard.bin') })
    await expectError(
      tfjsWeights(join(folder, 'model.json')),
      'weights-unreadable',
      /shard\.bin: there is no such file/,
    )
  })

  it('refuses to read a weight whose shard has changed', async () => {
    const folder = await folderOf({ 'model.json': manifest('shard.bin'), 'shard.bin': data })
    const [weight] = (await tfjsWeights(join(folder, 'model.json'))).weights
    const shard = join(folder, 'shard.bin')
    await writeFile(shard, (await readFile(shard)).fill(0))
    await expectError(weight!.read(), 'weights-unreadable', /model\.json: the bytes of tensor "w" have changed/)
  })
})
