import { expect, test } from 'vitest'
import { entry, printable, render, wrap } from '../../src/report/text.ts'

test('lines break at spaces, and within a word only where it must be', () => {
  expect(wrap('one two three', 7)).toEqual(['one two', 'three'])
  expect(wrap('a 0123456789 b', 4)).toEqual(['a', '0123', '4567', '89 b'])
  expect(wrap('', 4)).toEqual([''])
})

test('an entry goes on below its own text, and a long word moves to a line of its own', () => {
  expect(render(entry('rows', 'one two three', 22), false)).toBe('  rows        one two\n              three')
  expect(render(entry('key', '0123456789', 20), false)).toBe('  key\n    0123456789')
})

test.each([
  ['a terminal’s escapes', 'a\u001b[2Jb\u009b1mc', 'a\\u{1b}[2Jb\\u{9b}1mc'],
  ['line ends', 'a\r\n  b\u2028c', 'a b c'],
  ['text that runs the other way', 'a\u202eb', 'a\\u{202e}b'],
  ['what is not there', 'a\u200bb\u{e0041}', 'a\\u{200b}b\\u{e0041}'],
  ['half a character', 'a\ud800b', 'a\\u{d800}b'],
  ['too much of it', 'x'.repeat(500), `${'x'.repeat(400)}…`],
  ['plain words', 'C[1, 2] ist ≥ 3', 'C[1, 2] ist ≥ 3'],
])('what others wrote is shown harmlessly: %s', (_, text, shown) => {
  expect(printable(text)).toBe(shown)
})

test('colours are codes around the same text', () => {
  const lines = [{ text: 'PASS  all', styled: { length: 4, style: 'good' } }, { text: 'rest' }] as const
  expect(render(lines, false)).toBe('PASS  all\nrest')
  expect(render(lines, true)).toBe('\u001b[1;32mPASS\u001b[0m  all\nrest')
})
