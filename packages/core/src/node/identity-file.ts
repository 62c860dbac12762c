import { randomBytes } from 'node:crypto'
import { chmod, open, readFile, stat } from 'node:fs/promises'
import { AssayError } from '../errors.ts'
import { createIdentity, type Identity } from '../identity/identity.ts'

const header = 'tensor-assay ed25519 secret key\n'
const maxFileBytes = 1024
const notOurs = 'it is not an identity that this package wrote'

/**
 * The identity in a file, which is made with a new key if it does not exist. Only its owner may read it.
 *
 * @throws {AssayError} `identity-unusable` if the file is not an identity, others may read it, or it cannot be written.
 *
 * @example
 * ```ts
 * const identity = await identityFile('prover.key')
 * console.log(identity.fingerprint)
 * ```
 */
export async function identityFile(path: string): Promise<Identity> {
  try {
    return await create(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return await read(path)
    throw unusable(path, `it cannot be created: ${(error as Error).message}`, error)
  }
}

async function create(path: string): Promise<Identity> {
  // wx: of two processes that start at once, one makes the key and the other reads it.
  const file = await open(path, 'wx', 0o600)
  try {
    const secret = randomBytes(32)
    await file.writeFile(`${header}${secret.toString('hex')}\n`)
    await file.sync()
    return createIdentity(secret)
  } finally {
    await file.close()
    // The process's umask may have taken rights away from the owner, too.
    await chmod(path, 0o600)
  }
}

async function read(path: string): Promise<Identity> {
  let text: string
  try {
    const stats = await stat(path)
    const { mode } = stats
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw unusable(path, `others may read it: chmod 600 ${path}, and make a new key if anybody did`)
    }
    // A device never ends, and another file may be of any size.
    if (!stats.isFile() || stats.size > maxFileBytes) throw unusable(path, notOurs)
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw AssayError.isInstance(error) ? error : unusable(path, (error as Error).message, error)
  }
  const [, hex] = /^tensor-assay ed25519 secret key\n([0-9a-f]{64})\n$/.exec(text) ?? []
  // The content is a secret, if a spoilt one: the message shows none of it.
  if (hex === undefined) throw unusable(path, notOurs)
  return createIdentity(Buffer.from(hex, 'hex'))
}

function unusable(path: string, detail: string, cause?: unknown): AssayError {
  return new AssayError('identity-unusable', `the identity file ${path} is of no use: ${detail}`, { cause })
}
