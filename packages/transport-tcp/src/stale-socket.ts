import { once } from 'node:events'
import { lstat, unlink } from 'node:fs/promises'
import { connect } from 'node:net'

/**
 * Removes a socket file that its owner left behind, as a process that was killed does. Files of any other kind, and
 * sockets that somebody listens on or that cannot be asked, are left alone.
 *
 * @returns Whether the path is free now.
 */
export async function removeStaleSocket(path: string): Promise<boolean> {
  try {
    const before = await lstat(path)
    if (!before.isSocket() || !(await refusesConnections(path))) return false
    // Another process may have replaced it meanwhile, and be listening.
    const now = await lstat(path)
    if (now.ino !== before.ino || now.dev !== before.dev) return false
    await unlink(path)
    return true
  } catch {
    return false
  }
}

async function refusesConnections(path: string): Promise<boolean> {
  const socket = connect({ path })
  try {
    await once(socket, 'connect')
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED'
  } finally {
    socket.destroy()
  }
}
