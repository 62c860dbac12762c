import { create, createFileRegistry, type DescMessage } from '@bufbuild/protobuf'
import {
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from '@bufbuild/protobuf/wkt'

/**
 * The messages of ONNX as @bufbuild/protobuf reads and writes them, independently of this package. Only the fields that the
 * tests use are declared: others are unknown, which is a test of its own.
 *
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
const messages: Record<string, [name: string, number: number, type: string, repeated?: 'repeated' | 'packed'][]> = {
  ModelProto: [
    ['ir_version', 1, 'int64'],
    ['producer_name', 2, 'string'],
    ['graph', 7, 'GraphProto'],
    ['opset_import', 8, 'OperatorSetIdProto', 'repeated'],
    ['functions', 25, 'FunctionProto', 'repeated'],
  ],
  OperatorSetIdProto: [
    ['domain', 1, 'string'],
    ['version', 2, 'int64'],
  ],
  FunctionProto: [
    ['name', 1, 'string'],
    ['domain', 10, 'string'],
  ],
  GraphProto: [
    ['node', 1, 'NodeProto', 'repeated'],
    ['name', 2, 'string'],
    ['initializer', 5, 'TensorProto', 'repeated'],
    ['input', 11, 'ValueInfoProto', 'repeated'],
    ['output', 12, 'ValueInfoProto', 'repeated'],
    ['value_info', 13, 'ValueInfoProto', 'repeated'],
    ['sparse_initializer', 15, 'SparseTensorProto', 'repeated'],
  ],
  NodeProto: [
    ['input', 1, 'string', 'repeated'],
    ['output', 2, 'string', 'repeated'],
    ['name', 3, 'string'],
    ['op_type', 4, 'string'],
    ['attribute', 5, 'AttributeProto', 'repeated'],
    ['domain', 7, 'string'],
  ],
  AttributeProto: [
    ['name', 1, 'string'],
    ['f', 2, 'float'],
    ['i', 3, 'int64'],
    ['s', 4, 'bytes'],
    ['t', 5, 'TensorProto'],
    ['g', 6, 'GraphProto'],
    ['floats', 7, 'float', 'repeated'],
    ['ints', 8, 'int64', 'repeated'],
    ['strings', 9, 'bytes', 'repeated'],
    ['tensors', 10, 'TensorProto', 'repeated'],
    ['graphs', 11, 'GraphProto', 'repeated'],
    ['type', 20, 'int32'],
  ],
  TensorProto: [
    ['dims', 1, 'int64', 'repeated'],
    ['data_type', 2, 'int32'],
    ['float_data', 4, 'float', 'packed'],
    ['int32_data', 5, 'int32', 'packed'],
    ['int64_data', 7, 'int64', 'packed'],
    ['name', 8, 'string'],
    ['raw_data', 9, 'bytes'],
    ['double_data', 10, 'double', 'packed'],
    ['uint64_data', 11, 'uint64', 'packed'],
    ['external_data', 13, 'StringStringEntryProto', 'repeated'],
    ['data_location', 14, 'int32'],
  ],
  SparseTensorProto: [
    ['values', 1, 'TensorProto'],
    ['indices', 2, 'TensorProto'],
    ['dims', 3, 'int64', 'repeated'],
  ],
  StringStringEntryProto: [
    ['key', 1, 'string'],
    ['value', 2, 'string'],
  ],
  ValueInfoProto: [
    ['name', 1, 'string'],
    ['type', 2, 'TypeProto'],
  ],
  TypeProto: [
    ['tensor_type', 1, 'TensorTypeProto'],
    ['sequence_type', 4, 'SequenceTypeProto'],
  ],
  TensorTypeProto: [
    ['elem_type', 1, 'int32'],
    ['shape', 2, 'TensorShapeProto'],
  ],
  SequenceTypeProto: [['elem_type', 1, 'TypeProto']],
  TensorShapeProto: [['dim', 1, 'DimensionProto', 'repeated']],
  DimensionProto: [
    ['dim_value', 1, 'int64'],
    ['dim_param', 2, 'string'],
  ],
}

const scalars: Record<string, Type> = {
  int64: Type.INT64,
  uint64: Type.UINT64,
  int32: Type.INT32,
  string: Type.STRING,
  bytes: Type.BYTES,
  float: Type.FLOAT,
  double: Type.DOUBLE,
}

const file = create(FileDescriptorProtoSchema, {
  name: 'onnx.proto',
  package: 'onnx',
  syntax: 'proto2',
  messageType: Object.entries(messages).map(([name, fields]) => ({
    name,
    field: fields.map(([field, number, type, repeated]) => ({
      name: field,
      number,
      label: repeated === undefined ? Label.OPTIONAL : Label.REPEATED,
      ...(scalars[type] === undefined
        ? { type: Type.MESSAGE, typeName: `.onnx.${type}` }
        : { type: scalars[type], options: { packed: repeated === 'packed' } }),
    })),
  })),
})

const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] }))

export function messageOf(name: string): DescMessage {
  const found = registry.getMessage(`onnx.${name}`)
  if (found === undefined) throw new RangeError(`no message ${name}`)
  return found
}
