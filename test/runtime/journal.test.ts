import test from 'ava'
import type { MeshEvent } from '../../src/core/mesh-event.js'
import { createJournal } from '../../src/runtime/journal.js'

const event = (at: number): MeshEvent => ({ kind: 'node.isolated', at })
const never = (error: unknown): void => {
  throw error
}

test('events are numbered from 1 without gaps, and their number stands first', t => {
  const journal = createJournal(never)
  t.is(journal.lastSeq, 0)
  t.is(JSON.stringify(journal.add(event(5))), '{"seq":1,"at":5,"kind":"node.isolated"}')
  t.is(journal.add(event(6)).seq, 2)
  t.is(journal.lastSeq, 2)
})

test('only the newest are kept, and asked for by number', t => {
  const journal = createJournal(never, 3)
  for (let at = 1; at <= 7; at++) journal.add(event(at))
  const seqs = (since: number) => journal.since(since).map(({ seq }) => seq)
  t.deepEqual(seqs(0), [5, 6, 7])
  t.deepEqual(seqs(5), [6, 7])
  t.deepEqual(seqs(7), [])
  t.deepEqual(seqs(99), [])
  t.deepEqual(seqs(-1), [5, 6, 7])
})

test('ten thousand events are kept unless told otherwise', t => {
  const journal = createJournal(never)
  for (let at = 1; at <= 10_005; at++) journal.add(event(at))
  t.is(journal.since(0).length, 10_000)
  t.is(journal.since(0)[0]?.seq, 6)
})

test('a subscriber hears what it missed and then what comes, once and in order', t => {
  const journal = createJournal(never)
  for (let at = 1; at <= 3; at++) journal.add(event(at))
  const heard: number[] = []
  const end = journal.subscribe(1, ({ seq }) => heard.push(seq))
  journal.add(event(4))
  end()
  journal.add(event(5))
  t.deepEqual(heard, [2, 3, 4])
})

test('a subscriber with a number from another life hears everything', t => {
  const journal = createJournal(never)
  journal.add(event(1))
  const heard: number[] = []
  journal.subscribe(900, ({ seq }) => heard.push(seq))
  t.deepEqual(heard, [1])
})

test('an event that a subscriber causes comes after the one that it hears, for everybody', t => {
  const journal = createJournal(never)
  const first: number[] = []
  const second: number[] = []
  journal.subscribe(0, ({ seq }) => {
    first.push(seq)
    if (seq === 1) journal.add(event(2))
  })
  journal.subscribe(0, ({ seq }) => second.push(seq))
  journal.add(event(1))
  t.deepEqual(first, [1, 2])
  t.deepEqual(second, [1, 2])
})

test('a subscriber that throws is reported and does not silence the others', t => {
  const errors: unknown[] = []
  const journal = createJournal(error => errors.push(error))
  const heard: number[] = []
  journal.subscribe(0, () => {
    throw new Error('theirs')
  })
  journal.subscribe(0, ({ seq }) => heard.push(seq))
  journal.add(event(1))
  t.is(errors.length, 1)
  t.deepEqual(heard, [1])
})
