import { Attributes, type OnnxNode } from '@tensor-assay/onnx-model'
import { BlockedGraph, blockedDomain } from './blocked-graph.ts'
import type { GraphValues } from './graph-values.ts'
import { fusedActivation, inputOf, isOpaque, type Opaque, type Operator, requiredInput } from './operator.ts'
import { type ConvolutionForm, plainProduct, type Statement } from './statement.ts'

export const convolutionOperators: readonly (readonly [string, Operator])[] = [
  [':Conv', convolution],
  ['com.microsoft:FusedConv', convolution],
  [`${blockedDomain}:Conv`, blockedConvolution],
  ['com.ms.internal.nhwc:Conv', channelsLastConvolution],
  ['com.ms.internal.nhwc:FusedConv', channelsLastConvolution],
]

/** The attributes that Conv and its relatives share. */
export function convolutionForm(node: OnnxNode, values: GraphValues): ConvolutionForm | Opaque {
  const attributes = new Attributes(values.model, node)
  const autoPad = attributes.string('auto_pad', 'NOTSET')
  if (autoPad !== 'NOTSET' && autoPad !== 'VALID' && autoPad !== 'SAME_UPPER' && autoPad !== 'SAME_LOWER') {
    return { reason: `auto_pad ${autoPad}` }
  }
  const strides = attributes.ints('strides', undefined)
  const dilations = attributes.ints('dilations', undefined)
  const pads = attributes.ints('pads', undefined)
  return {
    kind: 'convolution',
    groups: attributes.int('group', 1),
    ...(strides === undefined ? {} : { strides }),
    ...(dilations === undefined ? {} : { dilations }),
    ...(pads === undefined ? {} : { pads }),
    autoPad,
  }
}

/** Dimensions of the tensors of a convolution, as far as the graph says. */
export function convolutionRank(node: OnnxNode, filters: string, values: GraphValues): number | undefined {
  const dims = values.initializer(filters)?.dims
  if (dims !== undefined) return dims.length
  const attributes = new Attributes(values.model, node)
  const spatial = ['kernel_shape', 'strides', 'dilations'] as const
  const found = spatial.map((name) => attributes.ints(name, undefined)).find((list) => list !== undefined)
  if (found !== undefined) return found.length + 2
  const pads = attributes.ints('pads', undefined)
  return pads === undefined ? undefined : pads.length / 2 + 2
}

/**
 * A statement about tensors whose channels come last, the filters being as ONNX has them: read through nodes of ours that
 * put the channels in front.
 */
export function withChannelsFirst(
  statement: Statement,
  rank: number | undefined,
  values: GraphValues,
): Statement | Opaque {
  if (rank === undefined) return { reason: 'channels that come last in an unknown number of dimensions' }
  const { a, c, addend } = statement
  return {
    ...statement,
    a: values.channelsFirst(a, rank),
    c: values.channelsFirst(c, rank),
    ...(addend === undefined ? {} : { addend: values.channelsFirst(addend, rank) }),
  }
}

/** What some execution providers, WebGPU among them, make of Conv. */
function channelsLastConvolution(node: OnnxNode, values: GraphValues): Statement | Opaque {
  const found = convolution(node, values)
  if (isOpaque(found)) return found
  return withChannelsFirst(found, convolutionRank(node, requiredInput(node, 1), values), values)
}

function convolution(node: OnnxNode, values: GraphValues): Statement | Opaque {
  const form = convolutionForm(node, values)
  if (isOpaque(form)) return form
  const activation = fusedActivation(node, values)
  if (isOpaque(activation)) return activation
  const bias = inputOf(node, 2)
  const addend = inputOf(node, 3)
  const base: Statement = {
    ...plainProduct,
    form,
    a: requiredInput(node, 0),
    b: { kind: 'value', value: requiredInput(node, 1) },
    c: node.outputs[0]!,
    activation,
    ...(addend === undefined ? {} : { addend }),
  }
  return bias === undefined ? base : { ...base, bias }
}

/**
 * A convolution in blocks of channels, which is what level `all` makes of most float32 convolutions on x64. A and C are
 * read through nodes of ours that put the channels in order; the filters in the model are reordered and filled up.
 */
function blockedConvolution(node: OnnxNode, values: GraphValues): Statement | Opaque {
  const found = convolution(node, values)
  if (isOpaque(found)) return found
  const filters = values.initializer(requiredInput(node, 1))
  if (filters?.dims.length !== 4) return { reason: 'blocked filters that are not in the model' }
  const blocked = BlockedGraph.of(values)
  const outChannels = blocked.channels(found.c)
  if (outChannels === undefined) return { reason: 'a blocked convolution whose number of channels cannot be told' }
  let { a } = found
  if (blocked.has(a)) {
    const plain = blocked.plain(a)
    const inChannels = blocked.channels(a)
    if (plain !== undefined) a = plain
    else if (inChannels !== undefined) a = blocked.inOrder(a, inChannels)
    else return { reason: 'a blocked convolution whose number of input channels cannot be told' }
  }
  const form = found.form as ConvolutionForm
  // Of a depthwise convolution the groups are filled up with the channels.
  const isDepthwise = form.groups > 1 && form.groups === filters.dims[0]
  return {
    ...found,
    form: isDepthwise ? { ...form, groups: outChannels } : form,
    a,
    b: { kind: 'blocked-filters', value: requiredInput(node, 1), outChannels },
    c: blocked.inOrder(found.c, outChannels),
    ...(found.addend === undefined ? {} : { addend: blocked.inOrder(found.addend, outChannels) }),
  }
}
