import { describe, expect, test } from 'vitest'
import { parseOptions } from '../../src/arguments/options.ts'
import { bytes32, fingerprints, fraction, oneOf, wholeNumber } from '../../src/arguments/values.ts'
import { Complaint } from '../../src/complaint.ts'

const options = {
  weights: { value: 'FILE', many: 'list', help: '' },
  prover: { value: 'KEY', many: 'repeated', help: '' },
  rows: { value: 'N', help: '' },
  once: { help: '' },
} as const

const parse = (line: string) => parseOptions(options, line.split(' ').filter(Boolean))

test('options and what is none', () => {
  const given = parse('a --rows 3 b --once c')
  expect(given.positionals).toEqual(['a', 'b', 'c'])
  expect([given.one('rows'), given.has('once'), given.has('prover'), given.one('prover')]).toEqual([
    '3',
    true,
    false,
    undefined,
  ])
})

test('a list takes the words up to the next option, as a shell expands them', () => {
  const given = parse('run.receipt --weights a b --weights=c d --rows 3 e --prover x f --prover y')
  expect(given.all('weights')).toEqual(['a', 'b', 'c', 'd'])
  expect(given.all('prover')).toEqual(['x', 'y'])
  expect(given.positionals).toEqual(['run.receipt', 'e', 'f'])
})

test('a list ends at --', () => {
  const given = parse('--weights a -- --rows')
  expect(given.all('weights')).toEqual(['a'])
  expect(given.positionals).toEqual(['--rows'])
})

test('a value may begin with a dash if it is bound to its option', () => {
  expect(parse('--rows=-3').one('rows')).toBe('-3')
})

describe('wrong options are named', () => {
  test.each([
    ['--wieghts a', 'there is no option --wieghts; did you mean --weights?'],
    ['--certificate', 'there is no option --certificate'],
    ['-o', 'there is no option -o'],
    ['--toString', 'there is no option --toString'],
    ['--__proto__', 'there is no option --__proto__'],
    ['--rows', '--rows needs a value: --rows N'],
    ['--rows=', '--rows needs a value: --rows N'],
    ['--rows --once', '--rows needs a value, got the option --once; write --rows=--once if it is one'],
    ['--rows 1 --rows 2', '--rows was given twice'],
    ['--once=yes', "--once takes no value, got 'yes'"],
  ])('%s', (line, message) => {
    expect(() => parse(line)).toThrow(new Complaint(message))
  })
})

describe('values', () => {
  test('that are fine', () => {
    expect(wholeNumber('n', '0', 0)).toBe(0)
    expect(fraction('n', '1e-3')).toBe(0.001)
    expect(fraction('n', '1')).toBe(1)
    expect(oneOf('n', 'b', ['a', 'b'])).toBe('b')
    expect(bytes32('n', 'AB'.repeat(32))).toEqual(new Uint8Array(32).fill(0xab))
    expect(fingerprints('n', [`ed25519:${'ab'.repeat(32)}`])).toHaveLength(1)
    expect(fingerprints('n', [])).toBe(undefined)
    for (const none of [wholeNumber('n', undefined, 1), fraction('n', undefined), bytes32('n', undefined)]) {
      expect(none).toBe(undefined)
    }
  })

  test.each<[string, () => unknown]>([
    ["--n must be a whole number from 1 to 2147483647, got '0'", () => wholeNumber('n', '0', 1)],
    ["--n must be a whole number from 1 to 2147483647, got '1.5'", () => wholeNumber('n', '1.5', 1)],
    ["--n must be a whole number from 1 to 2147483647, got '1e3'", () => wholeNumber('n', '1e3', 1)],
    ["--n must be a whole number from 1 to 2147483647, got '2147483648'", () => wholeNumber('n', '2147483648', 1)],
    ["--n must be a number above 0 and at most 1, such as 0.01, got '0'", () => fraction('n', '0')],
    ["--n must be a number above 0 and at most 1, such as 0.01, got '1.01'", () => fraction('n', '1.01')],
    ["--n must be a number above 0 and at most 1, such as 0.01, got 'NaN'", () => fraction('n', 'NaN')],
    ["--n must be a number above 0 and at most 1, such as 0.01, got '0.1.1'", () => fraction('n', '0.1.1')],
    ["--n must be a or b, got 'c'", () => oneOf('n', 'c', ['a', 'b'])],
    ["--n must be 64 hexadecimal digits, got 2 characters: 'ab'", () => bytes32('n', 'ab')],
    [
      "--n must be a fingerprint as assay identity prints it, ed25519:…, got 'alice'",
      () => fingerprints('n', ['alice']),
    ],
  ])('%s', (message, read) => {
    expect(read).toThrow(new Complaint(message))
  })
})
