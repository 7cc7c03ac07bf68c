// Whether what others know under clocks of this node is what it has under them itself. A disk
// says that nobody can know them; one that was copied while that was so says it still, though
// another life has told of them since.
//
// Decides by contents, as far as they are alive on both sides: an entry's stamp and key, or what
// stands in a raw document. What one boot wrote is all known or all not, since a disk is copied
// as a whole and its log is ordered.
//
// What was deleted on either side proves nothing.

import * as Y from 'yjs'
import type { EntryContent } from './check.js'
import type { Store, Struct } from './structs.js'

export interface Evidence {
  /** The clock after the last that means the same here and there; null when none was found. */
  readonly sameUpTo: number | null
  /** The first clock that means something else there; null when none was found. */
  readonly differsAt: number | null
  /** The clock after the last of that client that the update has. */
  readonly end: number
}

export const NO_EVIDENCE: Evidence = { sameUpTo: null, differsAt: null, end: 0 }

/** What was shown in one update and in another. */
export const both = (a: Evidence, b: Evidence): Evidence => ({
  sameUpTo:
    a.sameUpTo === null || b.sameUpTo === null
      ? (a.sameUpTo ?? b.sameUpTo)
      : Math.max(a.sameUpTo, b.sameUpTo),
  differsAt:
    a.differsAt === null || b.differsAt === null
      ? (a.differsAt ?? b.differsAt)
      : Math.min(a.differsAt, b.differsAt),
  end: Math.max(a.end, b.end),
})

/** What an update shows of a client's clocks, from one up to another. */
export const evidenceOf = (
  store: Store,
  kind: 'space' | 'doc',
  update: Uint8Array,
  client: number,
  from: number,
  to: number,
): Evidence => {
  const mine = (store.clients.get(client) ?? []) as Struct[]
  let sameUpTo: number | null = null
  let end = 0
  for (const their of theirsOf(update, client)) {
    const begin = their.id.clock
    end = Math.max(end, begin + their.length)
    const until = Math.min(begin + their.length, to)
    if (!(their instanceof Y.Item) || begin >= to) continue
    // As long as it likes, in a few bytes.
    if (their.content instanceof Y.ContentDeleted) continue
    for (let clock = Math.max(begin, from); clock < until; ) {
      const own = mine[Y.findIndexSS(mine, clock)]
      if (own === undefined) break
      const stop = Math.min(until, own.id.clock + own.length)
      const same = own instanceof Y.Item ? isSame(kind, own, their, clock, stop) : null
      if (same === false) return { sameUpTo, differsAt: clock, end }
      if (same) sameUpTo = stop
      clock = stop
    }
  }
  return { sameUpTo, differsAt: null, end }
}

/** Not checked yet: of what cannot be read, nothing. */
const theirsOf = (update: Uint8Array, client: number): readonly (Y.Item | Y.GC | Y.Skip)[] => {
  try {
    return Y.decodeUpdate(update).structs.filter(({ id }) => id.client === client)
  } catch {
    return []
  }
}

/** Null when it cannot be told. */
const isSame = (
  kind: 'space' | 'doc',
  own: Y.Item,
  their: Y.Item,
  clock: number,
  stop: number,
): boolean | null => {
  if (own.content instanceof Y.ContentDeleted || their.content instanceof Y.ContentDeleted) return null
  if (own.content.constructor !== their.content.constructor) return false
  if (kind === 'space') {
    if (!(own.content instanceof Y.ContentEmbed) || !(their.content instanceof Y.ContentEmbed)) return null
    const [mine, other] = [own.content.embed, their.content.embed] as unknown as EntryContent[]
    // Where the clock is not set, what is written twice from one copy bears the same stamps twice.
    return mine?.[0] === other?.[0] && mine?.[1] === other?.[1] && textOf(mine?.[2]) === textOf(other?.[2])
  }
  if (!isSamePlace(own, their, clock)) return false
  const part = (item: Y.Item): string => shown(item.content, clock - item.id.clock, stop - item.id.clock)
  return part(own) === part(their)
}

/** What is written a second time is often the same, and says it elsewhere: under another key, say. */
const isSamePlace = (own: Y.Item, their: Y.Item, clock: number): boolean => {
  const originOf = ({ id, origin }: Y.Item): Y.ID | null =>
    clock === id.clock ? origin : Y.createID(id.client, clock - 1)
  if (!Y.compareIDs(originOf(own), originOf(their))) return false
  if (!Y.compareIDs(own.rightOrigin, their.rightOrigin)) return false
  // Only what has no neighbor says what it stands in.
  if (their.origin !== null || their.rightOrigin !== null) return true
  return own.parentSub === their.parentSub && parentOf(own) === parentOf(their)
}

const parentOf = (item: Y.Item): string => {
  const parent: unknown = item.parent
  if (typeof parent === 'string') return `/${parent}`
  if (parent instanceof Y.ID) return `${parent.client} ${parent.clock}`
  if (!(parent instanceof Y.AbstractType)) return ''
  const { _item: within } = parent
  return within === null ? `/${Y.findRootTypeKey(parent)}` : `${within.id.client} ${within.id.clock}`
}

/** What is nested too deeply to be told is like nothing else. */
const textOf = (value: unknown): string => {
  try {
    return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part))
  } catch {
    return ''
  }
}

const shown = (content: Y.Item['content'], from: number, to: number): string => {
  if (content instanceof Y.ContentString) return content.str.slice(from, to)
  if (content instanceof Y.ContentAny || content instanceof Y.ContentJSON)
    return textOf(content.arr.slice(from, to))
  if (content instanceof Y.ContentType) return content.type.constructor.name
  if (content instanceof Y.ContentFormat) return textOf([content.key, content.value])
  if (content instanceof Y.ContentEmbed) return textOf(content.embed)
  return content instanceof Y.ContentBinary ? content.content.join() : ''
}
