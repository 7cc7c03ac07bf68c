// From the store back into memory. What cannot be read is left out and counted:
// it must not stop a start, and the neighbors still have it.

import { entryKey, partKey, type Recovered, unseal } from './log.js'
import type { Found } from './replica.js'

/** What can be read of a document; and the keys of the store that nobody needs any more. */
export const readable = (
  document: string,
  recovered: Recovered,
): { found: Found; useless: number; garbage: string[] } => {
  const { head, parts, entries } = recovered
  let useless = recovered.strange.length
  const garbage: string[] = []
  // What bears its seal was checked before it was stored.
  const sound = (stored: readonly { readonly value: Uint8Array }[]): Uint8Array[] =>
    stored.flatMap(({ value }) => {
      const update = unseal(value)
      if (update !== null) return [update]
      useless++
      return []
    })
  // No head was ever written: the parts are of a snapshot that was never finished, and the
  // log is whole. If it is spoilt, all parts are joined, the newest first: a struct that is
  // already there does not take over that it is deleted, so the older ones only fill gaps.
  const isHeadLost = head === null && recovered.strange.length > 0
  const current = parts.filter(({ snapshot, part }) => {
    const isCurrent = head === null ? isHeadLost : snapshot === head.snapshot && part < head.parts
    if (!isCurrent) garbage.push(partKey(document, snapshot, part))
    return isCurrent
  })
  if (isHeadLost) current.sort((a, b) => b.snapshot - a.snapshot || a.part - b.part)
  const live = entries.filter(({ entry }) => {
    const isLive = head === null || entry >= head.firstEntry
    if (!isLive) garbage.push(entryKey(document, entry))
    return isLive
  })
  if (head !== null && current.length < head.parts) useless += head.parts - current.length
  const found = { head, parts: sound(current), log: sound(live) }
  return {
    found: {
      ...found,
      isWhole: useless === 0 && !isHeadLost,
      nextEntry: (entries[entries.length - 1]?.entry ?? -1) + 1,
      lastSnapshot: parts[parts.length - 1]?.snapshot ?? 0,
      orphans: isHeadLost ? current.map(({ snapshot, part }) => partKey(document, snapshot, part)) : [],
    },
    useless,
    garbage,
  }
}
