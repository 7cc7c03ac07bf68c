// The heap against a slow, obvious queue, and each promise of its own by name.

import test from 'ava'
import fc from 'fast-check'
import { DeadlineQueue } from '../../src/core/deadline-queue.js'

test('what is due comes out by time, and nothing before its time', t => {
  const queue = new DeadlineQueue<string>()
  queue.set('late', 30)
  queue.set('soon', 10)
  queue.set('middle', 20)
  t.is(queue.nextAt, 10)
  t.is(queue.takeDue(9), undefined)
  t.is(queue.takeDue(10), 'soon')
  t.is(queue.takeDue(10), undefined)
  t.is(queue.takeDue(99), 'middle')
  t.is(queue.takeDue(99), 'late')
  t.is(queue.takeDue(99), undefined)
  t.is(queue.nextAt, null)
})

test('what is due at the same time comes out in the order in which it was set last', t => {
  const queue = new DeadlineQueue<string>()
  for (const key of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) queue.set(key, 5)
  queue.set('b', 5)
  const out: (string | undefined)[] = []
  for (let i = 0; i < 7; i++) out.push(queue.takeDue(5))
  t.deepEqual(out, ['a', 'c', 'd', 'e', 'f', 'g', 'b'])
})

test('a key has one deadline, which can be moved, read and taken back', t => {
  const queue = new DeadlineQueue<string>()
  queue.set('a', 10)
  queue.set('a', 40)
  queue.set('b', 20)
  t.is(queue.size, 2)
  t.is(queue.get('a'), 40)
  t.is(queue.nextAt, 20)
  queue.set('a', 5)
  t.is(queue.nextAt, 5)
  t.true(queue.delete('a'))
  t.false(queue.delete('a'))
  t.is(queue.get('a'), null)
  t.is(queue.takeDue(99), 'b')
  t.is(queue.size, 0)
})

test('what takes the place of a deleted key moves up where it is due before its new parent', t => {
  const queue = new DeadlineQueue<number>()
  // As a heap: 1 over 10 (over 11 and 12) and 2 (over 3 and 4). The 4 comes to stand under the 10.
  for (const at of [1, 10, 2, 11, 12, 3, 4]) queue.set(at, at)
  queue.delete(11)
  for (let at = 50; at < 60; at++) queue.set(at, at)
  const out: (number | undefined)[] = []
  for (let i = 0; i < 7; i++) out.push(queue.takeDue(99))
  t.deepEqual(out, [1, 2, 3, 4, 10, 12, 50])
})

test('a postponed queue keeps its order and falls due later by just as much', t => {
  const queue = new DeadlineQueue<string>()
  queue.set('b', 20)
  queue.set('a', 10)
  queue.postpone(1_000)
  t.is(queue.nextAt, 1_010)
  t.is(queue.get('b'), 1_020)
  t.is(queue.takeDue(1_009), undefined)
  t.is(queue.takeDue(1_010), 'a')
})

test('a cleared queue is empty and can be used again', t => {
  const queue = new DeadlineQueue<string>()
  queue.set('a', 10)
  queue.set('b', 10)
  queue.clear()
  t.is(queue.size, 0)
  t.is(queue.get('a'), null)
  queue.set('b', 7)
  t.is(queue.takeDue(7), 'b')
  t.is(queue.takeDue(99), undefined)
})

/** What the queue promises, written so that nobody can get it wrong. */
class SlowQueue {
  #entries: { key: number; at: number }[] = []

  set(key: number, at: number): void {
    this.delete(key)
    this.#entries.push({ key, at })
  }

  delete(key: number): boolean {
    const before = this.#entries.length
    this.#entries = this.#entries.filter(entry => entry.key !== key)
    return this.#entries.length < before
  }

  takeDue(now: number): number | undefined {
    // Array sort is stable: equals stay in the order in which they were set.
    const [first] = [...this.#entries].sort((a, b) => a.at - b.at)
    if (first === undefined || first.at > now) return undefined
    this.delete(first.key)
    return first.key
  }

  postpone(byMs: number): void {
    for (const entry of this.#entries) entry.at += byMs
  }

  get size(): number {
    return this.#entries.length
  }

  get nextAt(): number | null {
    return this.#entries.length === 0 ? null : Math.min(...this.#entries.map(({ at }) => at))
  }
}

test('any sequence of uses gives what the slow version gives', t => {
  const use = fc.oneof(
    { weight: 5, arbitrary: fc.tuple(fc.constant('set' as const), fc.nat(20), fc.nat(30)) },
    { weight: 2, arbitrary: fc.tuple(fc.constant('delete' as const), fc.nat(20), fc.constant(0)) },
    { weight: 3, arbitrary: fc.tuple(fc.constant('takeDue' as const), fc.nat(40), fc.constant(0)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('postpone' as const), fc.nat(5), fc.constant(0)) },
  )
  fc.assert(
    fc.property(fc.array(use, { maxLength: 120 }), uses => {
      const queue = new DeadlineQueue<number>()
      const slow = new SlowQueue()
      for (const [what, a, b] of uses) {
        if (what === 'set') {
          queue.set(a, b)
          slow.set(a, b)
        } else if (what === 'postpone') {
          queue.postpone(a)
          slow.postpone(a)
        } else if (queue[what](a) !== slow[what](a)) return false
        if (queue.size !== slow.size || queue.nextAt !== slow.nextAt) return false
      }
      for (let left = slow.size; left > 0; left--) {
        if (queue.takeDue(1_000) !== slow.takeDue(1_000)) return false
      }
      return queue.size === 0
    }),
    { numRuns: 500 },
  )
  t.pass()
})
