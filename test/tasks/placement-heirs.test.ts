import test from 'ava'
import fc from 'fast-check'
import { createPlacer, place } from '../../src/core/tasks/placer.js'
import { holds } from './holds.js'
import { anyMembers, anyRule, anyTasks, ownersIn, sorted } from './placement-slow.js'

test('the next in rank are who gets the slot when its owner dies, and when that one dies too, whatever limits and spreads there are', t => {
  holds(
    t,
    fc.property(anyTasks(), anyMembers(), anyRule, (tasks, members, rule) => {
      const placer = createPlacer(rule)
      for (const member of members) placer.setMember(member)
      for (const task of tasks) placer.setTask(task)
      const placement = placer.owners()
      placer.takeChanges()
      for (const { id, replicas } of tasks)
        for (const { slot, owner } of placement.slotsOf(id)) {
          if (owner === null || replicas === 'all') continue
          const named = placement.nextInRank(id, slot, 2)
          const gone = [owner]
          for (let rank = 0; rank < 2; rank++) {
            const left = members.map(member =>
              gone.includes(member.id) ? { ...member, absent: true } : member,
            )
            const heir = place(tasks, left, rule).ownerOf(id, slot)
            if (heir === null) break
            t.is(named[rank], heir)
            gone.push(heir)
          }
        }
      // To ask is all that happened.
      t.deepEqual(placer.takeChanges(), [])
      t.deepEqual(sorted(ownersIn(placement, tasks)), sorted(ownersIn(place(tasks, members, rule), tasks)))
      const fresh = place(tasks, members, rule)
      for (const { id } of members) t.is(placement.loadOf(id), fresh.loadOf(id))
    }),
    500,
  )
  t.pass()
})

test('what was asked does not outlive a change', t => {
  holds(
    t,
    fc.property(anyTasks(), anyMembers(), anyRule, fc.nat(), (tasks, members, rule, at) => {
      const placer = createPlacer(rule)
      for (const member of members) placer.setMember(member)
      for (const task of tasks) placer.setTask(task)
      const ask = (): readonly string[][] =>
        tasks.map(({ id }) =>
          placer
            .owners()
            .slotsOf(id)
            .flatMap(({ slot }) => [...placer.owners().nextInRank(id, slot, 2)]),
        )
      ask()
      const changed = members[at % members.length]
      if (changed === undefined) return
      const left = members.map(member => (member === changed ? { ...member, draining: true } : member))
      placer.setMember({ ...changed, draining: true })
      const asked = ask()
      const fresh = place(tasks, left, rule)
      t.deepEqual(
        asked,
        tasks.map(({ id }) => fresh.slotsOf(id).flatMap(({ slot }) => [...fresh.nextInRank(id, slot, 2)])),
      )
    }),
    300,
  )
  t.pass()
})
