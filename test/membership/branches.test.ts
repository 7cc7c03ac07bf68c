// The ways along which a proof runs, as each node computes them for itself.

import test from 'ava'
import type { NodeId } from '../../src/core/ids.js'
import { Branches } from '../../src/core/membership/branches.js'
import { membershipLan } from '../../src/core/membership/config.js'
import { Roster } from '../../src/core/membership/roster.js'
import { id, recordOf } from './words.js'

const OBSERVERS = membershipLan.observersPerMember

const rosterOf = (self: NodeId, members: number, undialable: readonly number[] = []): Roster => {
  const roster = new Roster(self, OBSERVERS, membershipLan.digestBuckets)
  for (let index = 0; index < members; index++) {
    const record = recordOf(id(index), { dialable: !undialable.includes(index) })
    roster.put(record, { verdict: 'alive', cause: null, since: 0 })
  }
  return roster
}

/** From whom each of so many members gets what `root` proves of `subject`. */
const parentsOf = (members: number, root: NodeId, subject: NodeId, undialable?: readonly number[]) => {
  const parents = new Map<NodeId, NodeId[]>()
  for (let index = 0; index < members; index++) {
    const self = id(index)
    if (self === subject) continue
    for (const to of new Branches(rosterOf(self, members, undialable), OBSERVERS).from(root, subject))
      parents.set(to, [...(parents.get(to) ?? []), self])
  }
  return parents
}

test('every member but the root and the subject expects the news from one or two others', t => {
  for (const members of [3, 4, 5, 8, 20, 50]) {
    for (const subject of [id(1), id(members - 1)]) {
      const root = rosterOf(subject, members).observersOf(subject, 1)[0] as NodeId
      const parents = parentsOf(members, root, subject)
      const reached = new Set(parents.keys())
      t.false(reached.has(root))
      t.false(reached.has(subject))
      t.is(reached.size, members - 2, `${members} members`)
      for (const [node, from] of parents) t.true(from.length <= 2 && !from.includes(subject), node)
    }
  }
})

test('most have two to hear it from; those next to the root have no other', t => {
  const members = 50
  const subject = id(7)
  const root = rosterOf(subject, members).observersOf(subject, 1)[0] as NodeId
  for (const [node, from] of parentsOf(members, root, subject)) {
    if (from.includes(root)) t.deepEqual(from, [root], node)
  }
  const frames = [...parentsOf(members, root, subject).values()].flat().length
  t.true(frames > members && frames <= 2 * members, `${frames} frames`)
})

test('the ways reach those that only dial out as well', t => {
  const members = 20
  const subject = id(3)
  const undialable = [2, 5, 9, 14]
  const root = rosterOf(subject, members, undialable).observersOf(subject, 1)[0] as NodeId
  t.is(parentsOf(members, root, subject, undialable).size, members - 2)
})

test('they follow the members, and whoever is held dead hands nothing on', t => {
  const subject = id(1)
  const roster = rosterOf(id(0), 20)
  const branches = new Branches(roster, OBSERVERS)
  const before = branches.from(id(0), subject)
  t.true(before.length > 0)
  const gone = before[0] as NodeId
  roster.put(recordOf(gone), { verdict: 'dead', cause: 'crashed', since: 1 })
  t.false(branches.from(id(0), subject).includes(gone))
})

test('in a mesh where the graph would cost more than it saves there are none', t => {
  const branches = new Branches(rosterOf(id(0), 257), OBSERVERS)
  t.true(branches.isTooLarge)
  t.deepEqual(branches.from(id(0), id(1)), [])
  t.false(new Branches(rosterOf(id(0), 256), OBSERVERS).isTooLarge)
})
