// From the store back into memory. What cannot be read is left out and counted:
// it must not stop a start, and the neighbors still have it.

import { checkUpdate } from './check.js'
import type { StateConfig } from './config.js'
import { entryKey, partKey, type Recovered, unseal } from './log.js'
import type { Replica } from './replica.js'

export const loadReplica = (
  replica: Replica,
  recovered: Recovered,
  config: StateConfig,
): { useless: number; garbage: string[] } => {
  const { document, kind } = replica
  const { head, parts, entries } = recovered
  let useless = recovered.strange.length
  const garbage: string[] = []
  const sound = (stored: readonly { readonly value: Uint8Array }[]): Uint8Array[] =>
    stored.flatMap(({ value }) => {
      const update = unseal(value)
      if (update !== null && checkUpdate(update, kind, null, config).ok) return [update]
      useless++
      return []
    })
  // Without a head everything that is there is joined: more than needed does no harm.
  const current = parts.filter(({ snapshot, part }) => {
    const isCurrent = head === null || snapshot === head.snapshot
    if (!isCurrent) garbage.push(partKey(document, snapshot, part))
    return isCurrent
  })
  const live = entries.filter(({ entry }) => {
    const isLive = head === null || entry >= head.firstEntry
    if (!isLive) garbage.push(entryKey(document, entry))
    return isLive
  })
  if (head !== null && current.length < head.parts) useless += head.parts - current.length
  const last = entries[entries.length - 1]
  // Not added in one expression: what the arguments count would be overwritten.
  const unapplied = replica.load(
    head,
    sound(current),
    sound(live),
    last === undefined ? 0 : last.entry + 1,
    parts[parts.length - 1]?.snapshot ?? 0,
  )
  return { useless: useless + unapplied, garbage }
}
