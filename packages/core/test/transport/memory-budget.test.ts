import { expect, test } from 'vitest'
import { Inbox } from '../../src/transport/inbox.ts'
import { MemoryBudget } from '../../src/transport/memory-budget.ts'

test('within the budget nobody gives anything up', () => {
  const budget = new MemoryBudget(100)
  const gone: string[] = []
  const a = budget.open(() => gone.push('a'))
  const b = budget.open(() => gone.push('b'))
  a.hold(60)
  b.hold(40)
  a.hold(10)
  b.hold(90)
  expect(gone).toEqual([])
  expect(budget.usedBytes).toBe(100)
  a.hold(0)
  b.hold(0)
  expect(budget.usedBytes).toBe(0)
})

test('beyond it, who has held some for the longest time gives up everything', () => {
  const budget = new MemoryBudget(100)
  const gone: string[] = []
  const [a, b, c] = ['a', 'b', 'c'].map((name) => budget.open(() => gone.push(name)))
  a!.hold(10)
  b!.hold(50)
  // a gives all of it back and starts anew: b is the longest now.
  a!.hold(0)
  a!.hold(10)
  c!.hold(45)
  expect(gone).toEqual(['b'])
  expect(budget.usedBytes).toBe(55)
  expect(b!.heldBytes).toBe(0)
})

test('as many go as it takes, whoever asked among them', () => {
  const budget = new MemoryBudget(100)
  const gone: string[] = []
  const [a, b, c] = ['a', 'b', 'c'].map((name) => budget.open(() => gone.push(name)))
  a!.hold(40)
  b!.hold(40)
  c!.hold(101)
  expect(gone.sort()).toEqual(['a', 'b', 'c'])
  expect(budget.usedBytes).toBe(0)
})

test('an exhausted account counts for nothing, whatever it says', () => {
  const budget = new MemoryBudget(10)
  let told = 0
  const account = budget.open(() => {
    told++
    account.hold(5)
  })
  account.hold(11)
  account.hold(1000)
  expect([told, budget.usedBytes]).toEqual([1, 0])
})

test('an inbox says what it holds, and when that changes', async () => {
  const held: number[] = []
  const inbox: Inbox = new Inbox(
    10_000,
    () => {},
    () => held.push(inbox.heldBytes),
  )
  inbox.push(new Uint8Array(100))
  inbox.push(new Uint8Array(50))
  const messages = inbox.iterate()
  await messages.next()
  await messages.return?.()
  expect(held).toEqual([356, 662, 306, 0])
})
