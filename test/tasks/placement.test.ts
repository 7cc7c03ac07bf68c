import test from 'ava'
import fc from 'fast-check'
import { nodeId } from '../../src/core/ids.js'
import type { PlacementMember, PlacementTask } from '../../src/core/tasks/placement.js'
import { isAvailable, isSuited, readRule } from '../../src/core/tasks/placement.js'
import { distance, memberSeed, placeOf, slotPoint, taskSeed } from '../../src/core/tasks/placement-score.js'
import { createPlacer, place } from '../../src/core/tasks/placer.js'
import { holds } from './holds.js'
import {
  anyMember,
  anyMembers,
  anyRule,
  anyTask,
  anyTasks,
  idOf,
  member,
  ownersIn,
  placeSlowly,
  sorted,
  task,
} from './placement-slow.js'

const off = { balance: null }
const placeApart = (id: string, who: string): number =>
  distance(placeOf(taskSeed(id), memberSeed(nodeId(who))), slotPoint(0))
const crowd = (count: number, over: Partial<PlacementMember> = {}): PlacementMember[] =>
  Array.from({ length: count }, (_, i) => member(`node-${i}`, over))
const work = (count: number, over: Partial<PlacementTask> = {}): PlacementTask[] =>
  Array.from({ length: count }, (_, i) => task(`task-${i}`, over))

test('the placement is the one that the rule names, pair by pair', t => {
  holds(
    t,
    fc.property(anyTasks(), anyMembers(), anyRule, (tasks, members, rule) => {
      const fast = sorted(ownersIn(place(tasks, members, rule), tasks))
      t.deepEqual(fast, sorted(placeSlowly(tasks, members, rule)))
    }),
    1_500,
  )
  t.pass()
})

test('many copies are placed by the same rule', t => {
  const anyMany = fc.tuple(
    fc.integer({ min: 6, max: 30 }),
    fc.constantFrom(null, 'zone'),
    fc.integer({ min: 0, max: 2 }),
  )
  holds(
    t,
    fc.property(
      fc.array(anyMany, { minLength: 1, maxLength: 3 }),
      anyMembers(30),
      anyRule,
      (kinds, members, rule) => {
        const tasks = kinds.map(([replicas, spread, weight], i) =>
          task(`task-${i}`, { replicas, spread, weight }),
        )
        const fast = sorted(ownersIn(place(tasks, members, rule), tasks))
        t.deepEqual(fast, sorted(placeSlowly(tasks, members, rule)))
      },
    ),
    200,
  )
})

test('the order in which members and tasks were learned decides nothing', t => {
  holds(
    t,
    fc.property(
      anyTasks().chain(tasks =>
        fc.tuple(fc.constant(tasks), fc.shuffledSubarray(tasks, { minLength: tasks.length })),
      ),
      anyMembers().chain(all =>
        fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
      ),
      anyRule,
      ([tasks, otherTasks], [members, otherMembers], rule) => {
        const one = sorted(ownersIn(place(tasks, members, rule), tasks))
        const other = sorted(ownersIn(place(otherTasks, otherMembers, rule), tasks))
        t.deepEqual(one, other)
      },
    ),
    500,
  )
})

type Change =
  | { readonly kind: 'member'; readonly member: PlacementMember }
  | { readonly kind: 'gone'; readonly id: string }
  | { readonly kind: 'task'; readonly task: PlacementTask }
  | { readonly kind: 'removed'; readonly id: string }
  | { readonly kind: 'rank'; readonly id: string }
  | { readonly kind: 'look' }

const few = fc.integer({ min: 0, max: 8 })
const anyChange: fc.Arbitrary<Change> = fc.oneof(
  few.chain(n => anyMember(`node-${n}`)).map(member => ({ kind: 'member' as const, member })),
  few.map(n => ({ kind: 'gone' as const, id: `node-${n}` })),
  few.chain(n => anyTask(`task-${n}`)).map(task => ({ kind: 'task' as const, task })),
  few.map(n => ({ kind: 'removed' as const, id: `task-${n}` })),
  fc.constant({ kind: 'look' as const }),
  few.map(n => ({ kind: 'rank' as const, id: `task-${n}` })),
)

test('kept up to date it equals the placement from scratch, and its changes tell the difference', t => {
  holds(
    t,
    fc.property(fc.array(anyChange, { maxLength: 40 }), anyRule, (changes, rule) => {
      const placer = createPlacer(rule)
      const members = new Map<string, PlacementMember>()
      const tasks = new Map<string, PlacementTask>()
      const told = new Map<string, string | null>()
      const look = (): void => {
        const scratch = ownersIn(place(tasks.values(), members.values(), rule), [...tasks.values()])
        for (const { task, slot, from, to } of placer.takeChanges()) {
          const key = `${task} ${slot}`
          t.is(told.get(key) ?? null, from)
          t.true(from !== to || told.has(key) !== scratch.has(key), 'a change changes something')
          if (scratch.has(key)) told.set(key, to)
          else told.delete(key)
        }
        t.deepEqual(sorted(ownersIn(placer.owners(), [...tasks.values()])), sorted(scratch))
        t.deepEqual([...told].sort(), [...scratch].sort())
      }
      for (const change of changes) {
        if (change.kind === 'member') {
          members.set(change.member.id, change.member)
          placer.setMember(change.member)
        } else if (change.kind === 'gone') {
          members.delete(change.id)
          placer.removeMember(nodeId(change.id))
        } else if (change.kind === 'task') {
          tasks.set(change.task.id, change.task)
          placer.setTask(change.task)
        } else if (change.kind === 'removed') {
          tasks.delete(change.id)
          placer.removeTask(idOf(change.id))
        } else if (change.kind === 'rank') placer.owners().nextInRank(idOf(change.id), 0, 2)
        else look()
      }
      look()
    }),
    400,
  )
})

test('a newcomer with a new value of the label is found, however far it stands', t => {
  const hall = crowd(8, { labels: { zone: 'hall' } })
  const tasks = work(60, { replicas: 3, spread: 'zone' })
  const placer = createPlacer(off)
  for (const one of [...tasks]) placer.setTask(one)
  for (const one of hall) placer.setMember(one)
  placer.takeChanges()
  const newcomer = member('newcomer', { labels: { zone: 'yard' } })
  placer.setMember(newcomer)
  t.deepEqual(
    sorted(ownersIn(placer.owners(), tasks)),
    sorted(ownersIn(place(tasks, [...hall, newcomer], off), tasks)),
  )
  for (const { id } of tasks) t.true(placer.owners().ownersOf(id).includes(newcomer.id))
})

test('when room is no longer short, everything is where it would be had it never been', t => {
  const tasks = work(60)
  const placer = createPlacer(off)
  for (const one of tasks) placer.setTask(one)
  for (const one of crowd(8, { capacity: 8 })) placer.setMember(one)
  const free = sorted(ownersIn(place(tasks, crowd(8), off), tasks))
  t.notDeepEqual(sorted(ownersIn(placer.owners(), tasks)), free)
  placer.takeChanges()
  for (const one of crowd(8)) placer.setMember(one)
  const changed = new Map(placer.takeChanges().map(({ task, to }) => [`${task} 0`, to]))
  t.true(changed.size > 0)
  t.deepEqual(sorted(ownersIn(placer.owners(), tasks)), free)
  for (const [slot, owner] of free) if (changed.has(slot)) t.is(changed.get(slot), owner)
})

test('nobody gets what he is not eligible for, twice the same task, or more than his capacity', t => {
  holds(
    t,
    fc.property(anyTasks(), anyMembers(), anyRule, (tasks, members, rule) => {
      const placement = place(tasks, members, rule)
      const loads = new Map<string, number>()
      for (const one of tasks) {
        const owners = placement.ownersOf(one.id).filter(owner => owner !== null)
        t.is(new Set(owners).size, owners.length)
        for (const owner of owners) {
          const who = members.find(({ id }) => id === owner) as PlacementMember
          t.true(isSuited(one, who) && isAvailable(who))
          loads.set(owner, (loads.get(owner) ?? 0) + one.weight)
        }
      }
      for (const one of members) {
        const load = loads.get(one.id) ?? 0
        t.true(load <= (one.capacity ?? Infinity), `${one.id} has ${load} of ${one.capacity}`)
        t.is(placement.loadOf(one.id), load)
      }
    }),
    500,
  )
})

test('what waits has a reason, and nobody who could take it has room', t => {
  holds(
    t,
    fc.property(anyTasks(), anyMembers(), anyRule, (tasks, members, rule) => {
      const placement = place(tasks, members, rule)
      for (const one of tasks) {
        const slots = placement.slotsOf(one.id)
        const known = members.filter(who => isSuited(one, who))
        for (const { slot, owner } of slots) {
          t.is(placement.waitingReason(one.id, slot) === null, owner !== null)
          if (owner !== null || one.replicas === 'all' || one.replicas >= known.length) continue
          for (const who of known.filter(isAvailable)) {
            const isHolder = slots.some(other => other.owner === who.id)
            t.true(isHolder || placement.loadOf(who.id) + one.weight > (who.capacity ?? Infinity))
          }
        }
      }
    }),
    500,
  )
})

test('a death, a drain and a leave move only what the member ran', t => {
  holds(
    t,
    fc.property(
      fc.integer({ min: 2, max: 12 }),
      fc.nat(),
      fc.constantFrom('absent', 'draining', 'gone'),
      (count, which, how) => {
        const members = crowd(count)
        const tasks = [...work(20), ...work(0)]
        const lost = members[which % count] as PlacementMember
        const rest = members.filter(one => one !== lost)
        const after = how === 'gone' ? rest : [...rest, { ...lost, [how]: true }]
        const one = ownersIn(place(tasks, members, off), tasks)
        const other = ownersIn(place(tasks, after, off), tasks)
        for (const [slot, owner] of one) {
          if (owner === lost.id) t.not(other.get(slot), lost.id)
          else t.is(other.get(slot), owner)
        }
      },
    ),
    200,
  )
})

test('a join takes only what the newcomer gets, and a return gives back exactly what was taken', t => {
  holds(
    t,
    fc.property(fc.integer({ min: 1, max: 12 }), count => {
      const members = crowd(count)
      const tasks = work(20)
      const newcomer = member('newcomer')
      const one = ownersIn(place(tasks, members, off), tasks)
      const other = ownersIn(place(tasks, [newcomer, ...members], off), tasks)
      for (const [slot, owner] of other) if (owner !== newcomer.id) t.is(owner, one.get(slot) ?? null)
    }),
    100,
  )
})

test('two copies never change places: the survivor of two keeps its slot', t => {
  holds(
    t,
    fc.property(fc.integer({ min: 3, max: 12 }), fc.nat(), (count, which) => {
      const members = crowd(count)
      const tasks = work(30, { replicas: 2 })
      const lost = members[which % count] as PlacementMember
      const one = ownersIn(place(tasks, members, off), tasks)
      const other = ownersIn(
        place(
          tasks,
          members.filter(who => who !== lost),
          off,
        ),
        tasks,
      )
      for (const [slot, owner] of one) if (owner !== lost.id) t.is(other.get(slot), owner)
    }),
    100,
  )
})

test('where every known member has a copy, an absence moves nobody else', t => {
  holds(
    t,
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 0, max: 3 }),
      fc.nat(),
      (count, more, mask) => {
        const members = crowd(count)
        const tasks = [...work(20, { replicas: count + more }), task('everywhere', { replicas: 'all' })]
        const after = members.map((one, i) => (mask & (1 << i) ? { ...one, absent: true } : one))
        const one = ownersIn(place(tasks, members, off), tasks)
        const other = ownersIn(place(tasks, after, off), tasks)
        for (const [slot, owner] of one) {
          const isAbsent = after.some(who => who.id === owner && who.absent === true)
          t.is(other.get(slot) ?? null, isAbsent ? null : owner)
        }
      },
    ),
    100,
  )
})

test('three copies or more: a death moves few others, and the set of owners loses one and gains one', t => {
  let moved = 0
  let orphaned = 0
  for (let count = 8; count <= 20; count += 4) {
    const members = crowd(count)
    const tasks = work(300, { replicas: 3 })
    const lost = members[count >> 1] as PlacementMember
    const one = place(tasks, members, off)
    const other = place(
      tasks,
      members.filter(who => who !== lost),
      off,
    )
    for (const { id } of tasks) {
      const before = one.ownersOf(id)
      const after = other.ownersOf(id)
      t.is(before.filter(owner => !after.includes(owner)).length, before.includes(lost.id) ? 1 : 0)
      before.forEach((owner, slot) => {
        if (owner === lost.id) orphaned++
        else if (after[slot] !== owner) moved++
      })
    }
  }
  t.true(moved < orphaned / 50, `${moved} survivors changed their slot for ${orphaned} orphans`)
})

test('the coming and going of tasks moves no other task while nobody is full', t => {
  const members = crowd(7, { capacity: 1_000 })
  const tasks = work(40)
  const more = [
    ...tasks,
    ...Array.from({ length: 40 }, (_, i) => task(`other-${i}`, { replicas: 2, spread: 'zone' })),
  ]
  t.deepEqual(
    sorted(ownersIn(place(more, members, off), tasks)),
    sorted(ownersIn(place(tasks, members, off), tasks)),
  )
})

test('a capacity that nobody exhausts decides nothing', t => {
  const tasks = work(100, { replicas: 2 })
  const one = ownersIn(place(tasks, crowd(10), off), tasks)
  for (const capacity of [200, 300, 1_000]) {
    t.deepEqual(ownersIn(place(tasks, crowd(10, { capacity }), off), tasks), one)
  }
})

test('one more unit of capacity moves a chain of copies at most, each to a place that it likes better', t => {
  holds(
    t,
    fc.property(
      fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 2, maxLength: 8 }),
      fc.nat(),
      (rooms, which) => {
        const members = rooms.map((capacity, i) => member(`node-${i}`, { capacity }))
        const more = members.map((one, i) =>
          i === which % members.length ? { ...one, capacity: (one.capacity ?? 0) + 1 } : one,
        )
        const tasks = work(20)
        const one = place(tasks, members, off)
        const other = place(tasks, more, off)
        const waiting = (of: typeof one): number =>
          tasks.filter(({ id }) => of.ownerOf(id, 0) === null).length
        t.true(waiting(other) <= waiting(one) && waiting(other) >= waiting(one) - 1)
        for (const { id } of members) {
          const before = tasks.filter(task => one.ownerOf(task.id, 0) === id).length
          const after = tasks.filter(task => other.ownerOf(task.id, 0) === id).length
          t.true(Math.abs(after - before) <= 1)
        }
      },
    ),
    200,
  )
})

test('with balance on, no load is above the bound where anybody may run anything', t => {
  holds(
    t,
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 0, max: 60 }),
      fc.constantFrom(1, 1.1, 1.25, 1.5),
      (count, many, balance) => {
        const members = crowd(count)
        const tasks = work(many)
        const placement = place(tasks, members, { balance })
        const bound = Math.ceil((Math.round(balance * 1000) * many) / (1000 * count))
        for (const { id } of members) t.true(placement.loadOf(id) <= bound)
        for (const { id } of tasks) t.not(placement.ownerOf(id, 0), null)
      },
    ),
    300,
  )
})

test('a balance that makes no sense is off', t => {
  for (const balance of [undefined, null, '1.25', 0, 0.99, 101, Number.NaN])
    t.is(readRule(balance).balance, null)
  for (const balance of [1, 1.25, 100]) t.is(readRule(balance).balance, balance)
})

test('balance leaves nothing waiting: what only one member can run runs there', t => {
  const members = [...crowd(9), member('gateway', { labels: { modbus: 'line-3' } })]
  const tasks = work(50, { needs: { modbus: 'line-3' } })
  const placement = place(tasks, members, { balance: 1.25 })
  t.is(placement.loadOf(nodeId('gateway')), 50)
})

test('equal hashes go to the smaller id', t => {
  // Found by search: with this task these two members stand at the same distance from slot 0.
  const [a, b, id] = ['m19780', 'm36684', 'tied'] as const
  t.is(placeApart(id, a), placeApart(id, b))
  const [smaller = '', larger = ''] = [a, b].sort()
  const placement = place([task(id)], [member(b), member(a)], off)
  t.is(placement.ownerOf(idOf(id), 0), nodeId(smaller))
  t.deepEqual(placement.nextInRank(idOf(id), 0, 2), [nodeId(larger)])
})

test('copies stand on different values of the label, and doubly only where values run out', t => {
  const members = Array.from({ length: 9 }, (_, i) =>
    member(`node-${i}`, { labels: { zone: `hall-${i % 3}` } }),
  )
  for (let replicas = 1; replicas <= 9; replicas++) {
    const tasks = work(30, { replicas, spread: 'zone' })
    const placement = place(tasks, members, off)
    for (const { id } of tasks) {
      const owners = placement.ownersOf(id)
      t.is(new Set(owners).size, replicas)
      const halls = new Set(owners.map(owner => members.find(one => one.id === owner)?.labels.zone))
      t.is(halls.size, Math.min(3, replicas))
    }
  }
})

test('weight 0 needs no room, but capacity 0 takes nothing at all', t => {
  const light = task('light', { weight: 0 })
  t.is(place([light], [member('a', { capacity: 0 })], off).ownerOf(light.id, 0), null)
  const full = place([task('heavy', { weight: 3 }), light], [member('a', { capacity: 3 })], off)
  t.is(full.ownerOf(light.id, 0), nodeId('a'))
  t.is(full.ownerOf(idOf('heavy'), 0), nodeId('a'))
})

test('a paused task has no slots, and an unknown one neither', t => {
  const placement = place([task('paused', { replicas: 0 })], crowd(3), off)
  t.deepEqual(placement.slotsOf(idOf('paused')), [])
  t.deepEqual(placement.ownersOf(idOf('unknown')), [])
  t.is(placement.waitingReason(idOf('unknown'), 0), null)
})

test('a copy on all: the slot of a member is its own, whoever else is there', t => {
  const one = task('everywhere', { replicas: 'all' })
  const few = place([one], crowd(3), off).slotsOf(one.id)
  const many = place([one], crowd(50), off).slotsOf(one.id)
  t.is(few.length, 3)
  t.is(many.length, 50)
  for (const slot of few)
    t.deepEqual(
      many.find(({ owner }) => owner === slot.owner),
      slot,
    )
})

test('the next in rank is who takes over when the owner dies', t => {
  const members = crowd(12)
  const tasks = [...work(50), ...work(0)]
  const before = place(tasks, members, off)
  for (const { id } of tasks) {
    const [heir] = before.nextInRank(id, 0, 2)
    const owner = before.ownerOf(id, 0)
    const after = place(
      tasks,
      members.map(one => (one.id === owner ? { ...one, absent: true } : one)),
      off,
    )
    t.is(after.ownerOf(id, 0), heir ?? null)
  }
})

test('shares are those of chance: chi-square over members, for ids that differ by a digit', t => {
  for (const [many, count] of [
    [10_000, 20],
    [20_000, 100],
  ] as const) {
    for (const slot of [0, 1]) {
      const members = crowd(count)
      const tasks = work(many, { replicas: 2 })
      const placement = place(tasks, members, off)
      const counts = new Map(members.map(({ id }) => [id, 0]))
      for (const { id } of tasks) {
        const owner = placement.ownerOf(id, slot)
        if (owner !== null) counts.set(owner, (counts.get(owner) ?? 0) + 1)
      }
      const mean = many / count
      let chi = 0
      for (const n of counts.values()) chi += (n - mean) ** 2 / mean
      // Mean count − 1, standard deviation √(2 (count − 1)); five of them.
      t.true(chi < count - 1 + 5 * Math.sqrt(2 * (count - 1)), `chi-square ${chi} for ${count} members`)
    }
  }
})
