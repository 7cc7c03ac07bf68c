import test from 'ava'
import { applyEvent, type Picture } from '../../src/dashboard/apply-event.js'
import type { Copy, Member, MeshEvent, Task } from '../../src/dashboard/model.js'

const member = (id: string): Member => ({
  id,
  name: `name-${id}`,
  verdict: 'alive',
  cause: null,
  health: 'ok',
  reasons: [],
  generation: 1,
  addrs: [],
  labels: {},
  capacity: null,
  runs: [],
  settled: true,
  draining: false,
  since: 1,
  rttMs: null,
  observers: [],
})
const copy = (slot: number, node: string | null, more: Partial<Copy> = {}): Copy => ({
  slot,
  node,
  phase: node === null ? 'waiting' : 'running',
  epoch: node === null ? null : `1-${node}`,
  since: 1,
  restarts: 0,
  reason: null,
  lastError: null,
  ...more,
})
const picture = (...copies: Copy[]): Picture => ({
  members: new Map(['a', 'b', 'c'].map(id => [id, member(id)])),
  tasks: new Map<string, Task>([['t', { id: 't', replicas: copies.length, copies }]]),
})
const event = (kind: string, more: Record<string, unknown>): MeshEvent => ({ seq: 1, at: 50, kind, ...more })
const places = (now: Picture): (string | null)[] => now.tasks.get('t')?.copies.map(({ node }) => node) ?? []

test('a member that dies turns at once and its copies wait', t => {
  const now = applyEvent(
    picture(copy(0, 'a'), copy(1, 'b')),
    event('member.dead', { member: 'a', cause: 'crashed' }),
  )
  t.is(now.members.get('a')?.verdict, 'dead')
  t.is(now.members.get('a')?.cause, 'crashed')
  t.is(now.members.get('a')?.since, 50)
  t.deepEqual(places(now), [null, 'b'])
  t.is(now.tasks.get('t')?.copies[0]?.phase, 'waiting')
})

test('a copy moves from its member to the next and then runs there', t => {
  const moved = applyEvent(
    picture(copy(0, 'a'), copy(1, 'b')),
    event('task.moved', { task: 't', from: 'b', to: 'c' }),
  )
  t.deepEqual(places(moved), ['a', 'c'])
  t.is(moved.tasks.get('t')?.copies[1]?.phase, 'starting')
  const started = applyEvent(moved, event('task.started', { task: 't', node: 'c', epoch: '2-c' }))
  t.is(started.tasks.get('t')?.copies[1]?.phase, 'running')
  t.is(started.tasks.get('t')?.copies[1]?.epoch, '2-c')
})

test('after a death the copy that waited is the one that moves', t => {
  const dead = applyEvent(picture(copy(0, 'a'), copy(1, 'b')), event('member.dead', { member: 'a' }))
  t.deepEqual(places(applyEvent(dead, event('task.moved', { task: 't', from: 'a', to: 'c', slot: 0 }))), [
    'c',
    'b',
  ])
})

test('a failure and its error are shown on the copy that failed', t => {
  const now = applyEvent(
    picture(copy(0, 'a')),
    event('task.failed', { task: 't', node: 'a', error: 'exit 1' }),
  )
  t.is(now.tasks.get('t')?.copies[0]?.phase, 'failed')
  t.is(now.tasks.get('t')?.copies[0]?.lastError, 'exit 1')
})

test('what is removed or forgotten goes', t => {
  t.is(applyEvent(picture(copy(0, 'a')), event('task.removed', { task: 't' })).tasks.size, 0)
  t.false(applyEvent(picture(copy(0, 'a')), event('member.forgotten', { member: 'b' })).members.has('b'))
})

test('an event about nobody known changes nothing', t => {
  const before = picture(copy(0, 'a'))
  for (const [kind, more] of [
    ['member.dead', { member: 'x' }],
    ['task.started', { task: 'x', node: 'a' }],
    ['task.stopped', { task: 't', node: 'x' }],
    ['task.moved', { task: 't', from: 'x', to: null }],
    ['state.changed', { space: 's' }],
    ['something.new', {}],
  ] as const)
    t.is(applyEvent(before, event(kind, more)), before, kind)
})
