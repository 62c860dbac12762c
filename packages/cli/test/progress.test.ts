import type { VerifierEvent } from '@tensor-assay/verifier'
import { expect, test } from 'vitest'
import { liveProgress } from '../src/progress.ts'

/** A terminal that understands what the progress writes: text, line ends, up, and erase to the end. */
function screen(columns: number, rows: number) {
  const lines = ['']
  return {
    columns,
    rows,
    write(text: string) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what a terminal is told
      for (const part of text.split(/(\u001b\[\d*[AJ]|\n)/)) {
        const up = /\[(\d+)A/.exec(part)
        if (up) lines.splice(lines.length - Number(up[1]), Number(up[1]), ...[])
        else if (part === '\n') lines.push('')
        else if (!part.endsWith('[J')) lines[lines.length - 1] += part
        if (up) lines[lines.length - 1] = ''
      }
      return true
    },
    get text() {
      return lines.join('\n')
    },
  }
}

const checked = (peer: string, rows: number) => ({ type: 'checked', peer, rows: { rows } }) as VerifierEvent
const session = (peer: string): VerifierEvent => ({ type: 'session', peer })
const verdict = (peer: string) => ({ type: 'verdict', peer }) as VerifierEvent

function live(columns = 80, rows = 24) {
  const stream = screen(columns, rows)
  const clock = { now: 0 }
  const progress = liveProgress(stream as unknown as NodeJS.WriteStream, () => clock.now)
  return { stream, clock, progress }
}

test('a line for each peer is kept up to date, and goes with its verdict', () => {
  const { stream, clock, progress } = live()
  progress.onEvent(session('a'))
  progress.onEvent(session('b'))
  clock.now = 1000
  progress.onEvent(checked('a', 5))
  expect(stream.text).toBe('a: products 1, rows 5, 1.0 s\nb: products 0, rows 0, 1.0 s\n')
  progress.onEvent(verdict('a'))
  progress.above(() => stream.write('PASS\n'))
  expect(stream.text).toBe('PASS\nb: products 0, rows 0, 1.0 s\n')
  progress.onEvent(verdict('b'))
  progress.end()
  expect(stream.text).toBe('PASS\n')
})

test('it is drawn at most every tenth of a second', () => {
  const { stream, clock, progress } = live()
  progress.onEvent(session('a'))
  for (clock.now = 1; clock.now < 100; clock.now++) progress.onEvent(checked('a', 1))
  expect(stream.text).toContain('products 0')
  progress.onEvent(checked('a', 1))
  expect(stream.text).toContain('products 100')
})

test('peers of one name share a line until the last is done', () => {
  const { stream, progress } = live()
  progress.onEvent(session('unix:/s'))
  progress.onEvent(session('unix:/s'))
  expect(stream.text).toContain('unix:/s (2 sessions): ')
  progress.onEvent(verdict('unix:/s'))
  expect(stream.text).toContain('unix:/s: ')
  progress.onEvent(verdict('unix:/s'))
  expect(stream.text).toBe('')
})

test('no line wraps, and no more are shown than can be erased', () => {
  const { stream, progress } = live(20, 6)
  for (let i = 0; i < 30; i++) progress.onEvent(session(`tcp://127.0.0.1:${i}`))
  const lines = stream.text.split('\n')
  expect(lines).toHaveLength(5)
  expect(lines.every((line) => line.length < 20)).toBe(true)
  expect(lines[3]).toBe('… and 27 more')
})
