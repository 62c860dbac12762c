import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { tcp } from '../src/index.ts'
import { socketFolder } from './support/folder.ts'

const folder = socketFolder()

/** Leaves a socket file behind as a process does that was killed. */
function leaveStale(path: string): void {
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', script])
  expect(lstatSync(path).isSocket()).toBe(true)
}

test('the socket file is there while somebody listens', async () => {
  const path = join(folder, 'plain.sock')
  const listener = await tcp().listen(`unix:${path}`, () => {})
  expect(listener.address).toBe(`unix:${path}`)
  expect(lstatSync(path).isSocket()).toBe(true)
  await listener.close()
  expect(existsSync(path)).toBe(false)
})

test('a socket file that was left behind is replaced', async () => {
  const path = join(folder, 'stale.sock')
  leaveStale(path)
  await expect(tcp().dial(`unix:${path}`)).rejects.toMatchObject({ code: 'peer-unreachable' })
  const listener = await tcp().listen(`unix:${path}`, (channel) => channel.close())
  onTestFinished(() => listener.close())
  await (await tcp().dial(listener.address)).close()
})

test('a socket that somebody listens on is left alone', async () => {
  const address = `unix:${join(folder, 'live.sock')}`
  const listener = await tcp().listen(address, (channel) => channel.close())
  onTestFinished(() => listener.close())
  await expect(tcp().listen(address, () => {})).rejects.toMatchObject({ code: 'address-unavailable' })
  await (await tcp().dial(address)).close()
})

test('files of other kinds are left alone', async () => {
  const file = join(folder, 'precious.txt')
  writeFileSync(file, 'precious')
  await expect(tcp().listen(`unix:${file}`, () => {})).rejects.toMatchObject({ code: 'address-unavailable' })
  expect(readFileSync(file, 'utf8')).toBe('precious')

  const stale = join(folder, 'target.sock')
  leaveStale(stale)
  const link = join(folder, 'link.sock')
  symlinkSync(stale, link)
  await expect(tcp().listen(`unix:${link}`, () => {})).rejects.toMatchObject({ code: 'address-unavailable' })
  expect(lstatSync(link).isSymbolicLink()).toBe(true)
})

test('a folder that does not exist is address-unavailable', async () => {
  const address = `unix:${join(folder, 'missing', 'x.sock')}`
  await expect(tcp().listen(address, () => {})).rejects.toMatchObject({ code: 'address-unavailable' })
  await expect(tcp().dial(address)).rejects.toMatchObject({ code: 'peer-unreachable' })
})
