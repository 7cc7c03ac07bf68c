import test from 'ava'
import {
  addEvents,
  EVENTS_MAX,
  emptyLog,
  parseEventId,
  resumeId,
  selectEvents,
} from '../../src/dashboard/event-log.js'
import type { MeshEvent } from '../../src/dashboard/model.js'

const event = (seq: number, more: Record<string, unknown> = {}): MeshEvent => ({
  seq,
  at: 1_000 + seq,
  kind: 'member.alive',
  ...more,
})
const seqs = (events: readonly MeshEvent[]): number[] => events.map(({ seq }) => seq)

test('an event that comes twice is held once', t => {
  const first = addEvents(emptyLog, 9, [event(1), event(2)])
  const second = addEvents(first.log, 9, [event(2), event(3)])
  t.deepEqual(seqs(second.log.events), [1, 2, 3])
  t.deepEqual(seqs(second.added), [3])
})

test('another life of the node begins a new log', t => {
  const { log } = addEvents(emptyLog, 9, [event(1), event(2)])
  const next = addEvents(log, 10, [event(1)])
  t.deepEqual(seqs(next.log.events), [1])
  t.is(resumeId(next.log), '10-1')
})

test('the log keeps the newest and no more than its limit', t => {
  const all = Array.from({ length: EVENTS_MAX + 5 }, (_, i) => event(i + 1))
  const { log } = addEvents(emptyLog, 9, all)
  t.is(log.events.length, EVENTS_MAX)
  t.is(log.events.at(-1)?.seq, EVENTS_MAX + 5)
})

test('what is not an event is dropped', t => {
  const odd = [null, 7, {}, { seq: 'x', at: 1, kind: 'a' }, { seq: 1, at: 1 }] as unknown as MeshEvent[]
  t.is(addEvents(emptyLog, 9, odd).added.length, 0)
})

test('reading goes on where it ended, and at the beginning before anything was read', t => {
  t.is(resumeId(emptyLog), null)
  t.is(resumeId(addEvents(emptyLog, 9, []).log), '9-0')
  t.deepEqual(parseEventId('1794960001-12'), { startedAt: 1_794_960_001, seq: 12 })
  t.is(parseEventId('12'), null)
  t.is(parseEventId('a-b'), null)
})

test('events are chosen by kind, by whom they are about and by their words, newest first', t => {
  const events = [
    event(1, { kind: 'task.started', task: 'a', node: 'n1', epoch: '2-n1' }),
    event(2, { member: 'n1' }),
    event(3, { kind: 'task.moved', task: 'a', from: 'n1', to: 'n2', epoch: '3-n2' }),
    event(4, { kind: 'task.started', task: 'a', node: 'n2', epoch: '3-n2' }),
    event(5, { kind: 'state.changed' }),
  ]
  const select = (query: Parameters<typeof selectEvents>[1], limit = 10): number[] =>
    seqs(selectEvents(events, query, each => `${each.kind} ${String(each.task)}`, limit))
  t.deepEqual(select({ filter: 'all' }), [5, 4, 3, 2, 1])
  t.deepEqual(select({ filter: 'all' }, 2), [5, 4])
  t.deepEqual(select({ filter: 'tasks' }), [4, 3, 1])
  t.deepEqual(select({ filter: 'all', about: 'n1' }), [3, 2, 1])
  t.deepEqual(select({ filter: 'all', text: ' MOVED ' }), [3])
  t.deepEqual(select({ filter: 'tasks', isBrief: true }), [3, 1])
})

test('a brief list leaves out what Shoal writes into its own spaces, a full one does not', t => {
  const own = event(1, { kind: 'state.changed', space: 'shoal.claims', keys: ['t/0/a'] })
  const user = event(2, { kind: 'state.changed', space: 's', keys: ['a'] })
  const select = (isBrief: boolean) =>
    selectEvents([own, user], { filter: 'all', isBrief }, () => '', 10).map(({ seq }) => seq)
  t.deepEqual(select(true), [2])
  t.deepEqual(select(false), [2, 1])
})
