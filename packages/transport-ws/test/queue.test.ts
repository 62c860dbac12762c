import { expect, test } from 'vitest'
import { Queue } from '../src/queue.ts'

test('gives back what was put in, in that order', () => {
  const queue = new Queue<number>()
  expect([queue.first, queue.shift()]).toEqual([undefined, undefined])
  for (const value of [1, 2]) queue.push(value)
  expect([queue.first, queue.shift(), queue.first]).toEqual([1, 1, 2])
  queue.push(3)
  expect([queue.shift(), queue.shift(), queue.shift(), queue.first]).toEqual([2, 3, undefined, undefined])
  queue.push(4)
  expect(queue.shift()).toBe(4)
})
