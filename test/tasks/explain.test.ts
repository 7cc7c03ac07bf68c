import test from 'ava'
import fc from 'fast-check'
import { nodeId } from '../../src/core/ids.js'
import { explain, rehearseLoss } from '../../src/core/tasks/explain.js'
import type { PlacementMember, PlacementTask } from '../../src/core/tasks/placement.js'
import { place } from '../../src/core/tasks/placer.js'
import { holds } from './holds.js'
import { anyMembers, anyRule, anyTasks, idOf, member, ownersIn, placeSlowly, task } from './placement-slow.js'

const off = { balance: null }
const reasonsFor = (
  one: PlacementTask,
  who: PlacementMember,
  others: PlacementMember[] = [],
): readonly string[] => {
  const members = [who, ...others]
  const { candidates } = explain(one, members, place([one], members, off))
  return candidates.find(({ node }) => node === who.id)?.reasons ?? []
}

test('each obstacle is named, all of them together', t => {
  const one = task('a', { ability: 'handler:foo', needs: { zone: 'hall-2', modbus: 'line-3' } })
  const who = member('x', {
    runs: ['exec'],
    labels: { zone: 'hall-1' },
    settled: false,
    draining: true,
    failing: true,
    absent: true,
    capacity: 0,
  })
  t.deepEqual(reasonsFor(one, who), [
    'absent: it is not alive',
    'not settled: it came back and has yet to prove stable',
    'draining',
    'failing: it says so itself',
    'cannot run handler:foo',
    'has no label modbus, needs line-3',
    'label zone is hall-1, needs hall-2',
    'capacity is 0: it takes no tasks',
  ])
})

test('a member without room says how much it has and what the task weighs', t => {
  const tasks = [task('a', { weight: 2 }), task('b', { weight: 2 })]
  const members = [member('x', { capacity: 3 })]
  const placement = place(tasks, members, off)
  const waiting = tasks.find(({ id }) => placement.ownerOf(id, 0) === null) as PlacementTask
  const { copies, candidates } = explain(waiting, members, placement)
  t.deepEqual(candidates, [
    {
      node: nodeId('x'),
      eligible: false,
      chosen: false,
      rank: 1,
      reasons: ['capacity full: has 2 of 3, the task weighs 2'],
    },
  ])
  t.regex(copies[0]?.reason ?? '', /^capacity is full/)
})

test('the chosen one comes first and says its slot; the others say who is in their way', t => {
  const one = task('a', { replicas: 2, spread: 'zone' })
  const members = ['p', 'q', 'r', 's'].map((id, i) =>
    member(id, { labels: { zone: i < 3 ? 'hall' : 'yard' } }),
  )
  const { copies, candidates } = explain(one, members, place([one], members, off))
  t.is(copies.length, 2)
  t.deepEqual(
    candidates.slice(0, 2).map(({ chosen }) => chosen),
    [true, true],
  )
  const owner = candidates.find(({ node, chosen }) => chosen && node !== nodeId('s'))?.node
  for (const { eligible, reasons } of candidates.slice(2)) {
    t.true(eligible)
    t.deepEqual(reasons, [`spread: ${owner} has a copy where zone is hall`])
  }
  t.deepEqual(reasonsFor(task('b', { replicas: 0 }), member('p')), ['paused: replicas is 0'])
})

test('why a slot waits is said in terms of what is missing', t => {
  const reason = (one: PlacementTask, members: PlacementMember[]): string | undefined => {
    const placement = place([one], members, off)
    const waiting = placement.slotsOf(one.id).find(({ owner }) => owner === null)
    return placement.waitingReason(one.id, waiting?.slot ?? -1) ?? undefined
  }
  t.is(reason(task('a', { ability: 'handler:foo' }), [member('x')]), 'no member can run handler:foo')
  t.is(
    reason(task('a', { needs: { zone: 'hall-2', line: '3' } }), [member('x')]),
    'no member that can run exec has zone=hall-2, line=3',
  )
  t.regex(
    reason(task('a'), [member('x', { draining: true })]) ?? '',
    /^nobody is available of the 1 that could run it/,
  )
  t.is(reason(task('a', { replicas: 2 }), [member('x')]), 'each of the 1 eligible members has a copy already')
  t.regex(
    reason(task('a', { weight: 5 }), [member('x', { capacity: 4 })]) ?? '',
    /^capacity is full: .*weight of 5/,
  )
})

test('what is said of each member is true', t => {
  holds(
    t,
    fc.property(anyTasks(8), anyMembers(), anyRule, (tasks, members, rule) => {
      const placement = place(tasks, members, rule)
      for (const one of tasks) {
        const { copies, candidates } = explain(one, members, placement)
        t.is(candidates.length, members.length)
        const owners = placement.ownersOf(one.id)
        t.deepEqual(
          copies.map(({ node }) => node),
          [...owners],
        )
        for (const { node, eligible, chosen, rank, reasons } of candidates) {
          t.is(chosen, owners.includes(node))
          t.is(reasons.length === 0, false)
          if (chosen) t.true(eligible && rank !== null)
          const who = members.find(({ id }) => id === node) as PlacementMember
          // Eligible means: alone in the mesh, with the room that it has left, it would get a copy.
          const room = who.capacity === null ? null : who.capacity - (chosen ? 0 : placement.loadOf(node))
          const alone = { ...who, capacity: who.capacity === 0 ? 0 : one.weight === 0 ? null : room }
          const copy = { ...one, replicas: 1 }
          if (!chosen) t.is(placeSlowly([copy], [alone], off).get(`${one.id} 0`) === node, eligible)
        }
        const ranks = candidates.flatMap(({ rank }) => (rank === null ? [] : [rank])).sort((a, b) => a - b)
        t.deepEqual(
          ranks,
          ranks.map((_, i) => i + 1),
        )
      }
    }),
    300,
  )
})

test('a rehearsed loss is what happens when the members die', t => {
  holds(
    t,
    fc.property(anyTasks(), anyMembers(), anyRule, fc.nat(), (tasks, members, rule, mask) => {
      const without = members.filter((_, i) => mask & (1 << i)).map(({ id }) => id)
      const { moves } = rehearseLoss(tasks, members, rule, without)
      const before = new Map(ownersIn(place(tasks, members, rule), tasks))
      const left = members.map(one => (without.includes(one.id) ? { ...one, absent: true } : one))
      const after = placeSlowly(tasks, left, rule)
      for (const { task, slot, from, to } of moves) {
        t.is(before.get(`${task} ${slot}`) ?? null, from)
        before.set(`${task} ${slot}`, to)
      }
      const everywhere = new Set(
        tasks.filter(({ replicas }) => replicas === 'all').map(({ id }) => id as string),
      )
      for (const [key, owner] of before) {
        const isLostCopy =
          everywhere.has(key.split(' ')[0] ?? '') && owner !== null && without.includes(owner)
        if (!isLostCopy) t.is(after.get(key) ?? null, owner)
      }
    }),
    300,
  )
})

test('what fits nowhere moves to null, and the copy of a task that runs everywhere does not move', t => {
  const tasks = [task('a', { needs: { modbus: 'line-3' } }), task('b', { replicas: 'all' })]
  const members = [member('x', { labels: { modbus: 'line-3' } }), member('y')]
  t.deepEqual(rehearseLoss(tasks, members, off, [nodeId('x')]), {
    moves: [{ task: idOf('a'), slot: 0, from: nodeId('x'), to: null }],
  })
})
