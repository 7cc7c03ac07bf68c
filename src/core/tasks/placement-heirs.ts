// Who would be next for a slot, should its owner die, and who should that one die too.
// While nobody's room has an end that follows from the task alone, and the rule is asked;
// where it has, the first comes from a rehearsal of all tasks (`placer.ts`), and the second
// is the nearest that has room then: the tasks of the first are on their way as well.

import { chooseWithout, spreadValue } from './placement-choice.js'
import type { MemberRow, TaskRow } from './placement-group.js'
import { distance, placeOf, slotPoint } from './placement-score.js'

/** The heirs of one slot in the order in which they would have it, where room has no end. */
export const freeHeirs = (row: TaskRow, at: number, count: number): readonly MemberRow[] => {
  const gone = new Set<MemberRow>()
  const heirs: MemberRow[] = []
  for (let owner = row.owners[at] ?? null; owner !== null && heirs.length < count; ) {
    gone.add(owner)
    owner = chooseWithout(row, gone)[at] ?? null
    if (owner !== null) heirs.push(owner)
  }
  return heirs
}

/** The nearest that own nothing of the task, nearest first. */
export const nearestOthers = (row: TaskRow, at: number, count: number): readonly MemberRow[] =>
  nearestFirst(row, at, othersOf(row), count)

/** Who has room for the slot once `heir` is gone too: a new value of the label first, where there is one. */
export const roomiest = (
  row: TaskRow,
  at: number,
  heir: MemberRow | null,
  hasRoom: (member: MemberRow) => boolean,
): readonly MemberRow[] => {
  const roomy = othersOf(row).filter(member => member !== heir && hasRoom(member))
  const { spread } = row.task
  if (spread === null) return nearestFirst(row, at, roomy, 1)
  const used = new Set(
    row.owners.flatMap((owner, i) => (owner === null || i === at ? [] : [spreadValue(owner, spread)])),
  )
  const fresh = roomy.filter(member => !used.has(spreadValue(member, spread)))
  return nearestFirst(row, at, fresh.length > 0 ? fresh : roomy, 1)
}

const othersOf = (row: TaskRow): readonly MemberRow[] =>
  row.group.available.filter(member => !row.owners.includes(member))

/** The `count` nearest, nearest first; equals keep their order, which is that of ids. */
const nearestFirst = (
  row: TaskRow,
  at: number,
  members: readonly MemberRow[],
  count: number,
): readonly MemberRow[] => {
  const point = slotPoint(row.slots[at] as number)
  const best: { readonly member: MemberRow; readonly apart: number }[] = []
  for (const member of members) {
    const apart = distance(placeOf(row.seed, member.seed), point)
    let place = best.length
    while (place > 0 && (best[place - 1] as { apart: number }).apart > apart) place--
    if (place >= count) continue
    best.splice(place, 0, { member, apart })
    if (best.length > count) best.pop()
  }
  return best.map(entry => entry.member)
}
