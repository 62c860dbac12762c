import { expect, test } from 'vitest'
import { nearest } from '../../src/arguments/nearest.ts'

const words = ['weights', 'listen', 'once', 'out', 'rows', 'rate']

test.each([
  ['wieghts', 'weights'],
  ['weigts', 'weights'],
  ['listne', 'listen'],
  ['row', 'rows'],
  ['rates', 'rate'],
  ['ouce', 'once'],
  ['once', 'once'],
  ['certificate', undefined],
  ['', undefined],
])('%s was meant to be %s', (given, meant) => {
  expect(nearest(given, words)).toBe(meant)
})
