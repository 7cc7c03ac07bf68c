// What of a task's placement has changed since it was last reported, slot by slot.

import type { NodeId } from '../ids.js'
import type { PlacementChange } from './placement.js'
import type { MemberRow, TaskRow } from './placement-group.js'

export const report = (
  row: TaskRow,
  slots: readonly number[],
  owners: readonly (MemberRow | null)[],
  changes: PlacementChange[],
): void => {
  const task = row.task.id
  if (row.reportedSlots === slots) {
    for (let i = 0; i < slots.length; i++) {
      const from = row.reported[i] ?? null
      const to = owners[i]?.id ?? null
      if (from !== to) changes.push({ task, slot: slots[i] as number, from, to })
    }
  } else {
    const before = new Map(row.reportedSlots.map((slot, i) => [slot, row.reported[i] ?? null]))
    slots.forEach((slot, i) => {
      const from = before.get(slot)
      const to = owners[i]?.id ?? null
      before.delete(slot)
      if (from !== to) changes.push({ task, slot, from: from ?? null, to })
    })
    for (const [slot, from] of before) changes.push({ task, slot, from, to: null })
  }
  row.reportedSlots = slots
  row.reported = idsOf(owners)
}

/** Most tasks have one owner, and then share one list for each. */
const idsOf = (owners: readonly (MemberRow | null)[]): readonly (NodeId | null)[] => {
  const [owner] = owners
  if (owners.length !== 1 || owner === undefined || owner === null)
    return owners.map(each => each?.id ?? null)
  owner.aloneId ??= [owner.id]
  return owner.aloneId
}
