/**
 * Filters as the model had them, from the order in which a blocked convolution reads them.
 *
 * ONNX Runtime cuts the output channels into blocks, the last one filled up with zeros, and, where there are at least as many
 * input channels as a block has, these too, filled up likewise:
 * [out / block, in / block, height, width, block of in, block of out], else [out / block, in, height, width, block of out].
 *
 * @param bytes - Elements of 4 bytes, reordered.
 * @param dims - As the reordered tensor declares them: [out filled up, in of a group filled up, height, width].
 * @param groups - Groups of the convolution.
 * @param outChannels - Output channels that the model had.
 * @param inChannels - Input channels of a group that the model had.
 * @param block - Channels in a block: 16 with AVX-512, else 8 on x64.
 * @returns [outChannels, inChannels, height, width].
 */
export function unblockFilters(
  bytes: Uint8Array,
  dims: readonly number[],
  groups: number,
  outChannels: number,
  inChannels: number,
  block: number,
): Uint8Array {
  const [, declared, height, width] = dims as [number, number, number, number]
  const space = height * width
  // A depthwise convolution has one input channel for each group and is cut by its groups.
  const isInBlocked = groups > 1 ? declared > 1 : declared >= block
  const inBlock = isInBlocked ? block : 1
  const from = new Uint32Array(bytes.slice().buffer)
  const to = new Uint32Array(outChannels * inChannels * space)
  for (let o = 0; o < outChannels; o++) {
    for (let i = 0; i < inChannels; i++) {
      const outer = (Math.floor(o / block) * (declared / inBlock) + Math.floor(i / inBlock)) * space
      const inner = (i % inBlock) * block + (o % block)
      for (let s = 0; s < space; s++) {
        to[(o * inChannels + i) * space + s] = from[(outer + s) * inBlock * block + inner]!
      }
    }
  }
  return new Uint8Array(to.buffer)
}
