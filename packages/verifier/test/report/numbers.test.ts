import { describe, expect, test } from 'vitest'
import { byteCount, contrast, fractionBound, probability, visible } from '../../src/report/numbers.ts'

test.each([
  [0, '0%'],
  [1e-9, 'under 0.01%'],
  [0.00199, '0.19%'],
  [0.1019, '10.1%'],
  [0.5, '50.0%'],
  [0.99899, '99.8%'],
  [0.999_999, '99.99%'],
  [1 - 2 ** -53, '99.99%'],
  [1, '100%'],
])('the probability %d is never shown as more than it is: %s', (p, text) => {
  expect(probability(p)).toBe(text)
})

test.each([
  [0, '0.0%'],
  [0.2501, '25.1%'],
  [0.00001, '0.1%'],
  [0.9999, '100.0%'],
])('the bound %d is never shown as less than it is: %s', (bound, text) => {
  expect(fractionBound(bound)).toBe(text)
})

test.each([
  [0, '0'],
  [3.41e-6, '3.5e-6'],
  [3.4e-6, '3.4e-6'],
  [9.91e-6, '1.0e-5'],
  [1.2, '1.2e+0'],
])('the error %d is never shown as less than it is: %s', (error, text) => {
  expect(visible(error)).toBe(text)
})

describe('two values have the digits that tell them apart', () => {
  test.each([
    ['1.25', '1.24', { left: '1.25', right: '1.24', difference: '1.0e-2' }],
    ['1000000.1', '1000000.2', { left: '1000000.1', right: '1000000.2', difference: '1.0e-1' }],
    ['0.3', '0.30000000000000004', { left: '0.3', right: '0.30000000000000004', difference: '5.6e-17' }],
    ['0', '0', { left: '0', right: '0', difference: '0.0e+0' }],
    ['NaN', '1.5', { left: 'NaN', right: '1.5' }],
    ['-Infinity', '1.5', { left: '-Infinity', right: '1.5' }],
    ['no number', '1.5', { left: 'no number', right: '1.5' }],
  ])('%s and %s', (left, right, shown) => {
    expect(contrast(left, right)).toEqual(shown)
  })
})

test.each([
  [1, '1 byte'],
  [1023, '1023 bytes'],
  [1024, '1.0 KiB'],
  [160_000, '156 KiB'],
  [3 * 2 ** 40, '3.0 TiB'],
])('%d bytes are %s', (bytes, text) => {
  expect(byteCount(bytes)).toBe(text)
})
