import { realpathSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Instrumentation } from '../instrumentation.ts'

/** Packages that bring an `onnxruntime-node` of their own where the program's is another version. */
const bringers = ['@huggingface/transformers']

/**
 * Every copy of `onnxruntime-node` that a program can be expected to use, at least one.
 *
 * @param main - Path of the program as Node was given it; undefined for one without a file, which resolves from the current
 *   folder.
 * @throws {AssayError} `backend-unusable` if there is none, or its inside cannot be reached.
 */
export function librariesOf(main: string | undefined): readonly Instrumentation[] {
  const from = homeOf(main)
  const found = new Set<Instrumentation>()
  let failure: unknown
  for (const place of [from, ...bringers.flatMap((name) => resolved(name, from))]) {
    try {
      found.add(Instrumentation.at(place))
    } catch (error) {
      failure ??= error
    }
  }
  if (found.size === 0) throw failure
  return [...found]
}

/** Path that modules are resolved from as the program does: links are followed, and a folder is looked into. */
function homeOf(main: string | undefined): string {
  if (main === undefined) return join(process.cwd(), '/')
  try {
    const path = realpathSync(main)
    return statSync(path).isDirectory() ? join(path, '/') : path
  } catch {
    // Given without its extension, say. The folder is what matters.
    return main
  }
}

function resolved(name: string, from: string): string[] {
  try {
    return [createRequire(from).resolve(name)]
  } catch {
    return []
  }
}
