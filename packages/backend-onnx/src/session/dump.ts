import { readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { type OnnxModel, readModel } from '@tensor-assay/onnx-model'
import { type OpenedFile, openFile } from '@tensor-assay/onnx-model/node'
import type { CreateHandler, ModelInput, OrtHandler, OrtSessionOptions } from '../ort/library.ts'
import { changedOptions } from '../ort/session-options.ts'
import type { PrivateFolder } from './private-folder.ts'

/** A model as ONNX Runtime executes it, after its optimisations. */
export interface Dump {
  readonly path: string
  /** Open, so that initializers can be read after the file is removed. */
  readonly file: OpenedFile
  readonly model: OnnxModel
  /** The second file of a dump in two. */
  readonly data: OpenedFile | undefined
  /** Where external data lies: beside the dump or, where the user's model has some, with that. */
  readonly dataFolder: string
  /** The user's session, released: what it says about inputs and outputs. */
  readonly face: SessionFace
}

/** What a program sees of a session without running it. */
export type SessionFace = Pick<OrtHandler, 'inputNames' | 'outputNames' | 'inputMetadata' | 'outputMetadata'>

/**
 * Creates the user's session, has it write down its optimised graph, and releases it.
 *
 * Initializers that the optimisations left alone stay where they were if that is another file. Models whose graph becomes
 * larger than protobuf's 2 GB, such as float16 ones that are computed in float32, are written in two files.
 *
 * @throws What creating the session throws, or an AssayError if what was written cannot be read.
 */
export async function dumpModel(
  create: CreateHandler,
  source: ModelInput,
  options: OrtSessionOptions,
  folder: PrivateFolder,
): Promise<Dump> {
  const path = join(folder.path, 'model.onnx')
  let separateData = false
  let face: SessionFace
  try {
    face = await writeDown(create, source, options, path, {})
  } catch (cause) {
    // Nothing was written of a session that failed before its graph was optimised: that would fail again.
    if (readdirSync(folder.path).length === 0) throw cause
    separateData = true
    face = await writeDown(create, source, options, path, {
      'session.optimized_model_external_initializers_file_name': dataName,
      'session.optimized_model_external_initializers_min_size_in_bytes': '1024',
    })
  }
  const file = openFile(path)
  let data: OpenedFile | undefined
  try {
    if (separateData) data = openFile(join(folder.path, dataName))
    const dataFolder = separateData ? folder.path : dataFolderOf(source, options)
    return { path, file, data, model: readModel(file), dataFolder, face }
  } catch (cause) {
    data?.close()
    file.close()
    throw cause
  }
}

const dataName = 'model.data'

/** Nothing can be read of a dump any more. */
export function closeDump({ file, data }: Dump): void {
  file.close()
  data?.close()
}

async function writeDown(
  create: CreateHandler,
  source: ModelInput,
  options: OrtSessionOptions,
  path: string,
  extra: Readonly<Record<string, string>>,
): Promise<SessionFace> {
  const handler = await create(
    source,
    changedOptions(options, {
      optimizedModelFilePath: path,
      // Nothing runs in this session, so there is nothing to profile.
      ...(options.enableProfiling === undefined ? {} : { enableProfiling: false }),
      // It warns that the dump is for this type of machine, which is where it is used.
      logSeverityLevel: options.logSeverityLevel ?? 3,
      ...(Object.keys(extra).length === 0 ? {} : { extra: { ...options.extra, ...extra } }),
    }),
  )
  const { inputNames, outputNames, inputMetadata, outputMetadata } = handler
  await handler.dispose()
  return { inputNames, outputNames, inputMetadata, outputMetadata }
}

/** For a model given as bytes the user may name a folder; the working folder is ONNX Runtime's own choice then. */
function dataFolderOf(source: ModelInput, { extra }: OrtSessionOptions): string {
  if (typeof source === 'string') return resolve(dirname(source))
  const nested = (extra?.session as Record<string, unknown> | undefined)?.model_external_initializers_file_folder_path
  const stated = extra?.['session.model_external_initializers_file_folder_path'] ?? nested
  return resolve(typeof stated === 'string' ? stated : '.')
}
