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
  let theirs: readonly (Y.Item | Y.GC | Y.Skip)[]
  try {
    theirs = Y.decodeUpdate(update).structs.filter(({ id }) => id.client === client)
  } catch {
    return NO_EVIDENCE
  }
  for (const their of theirs) {
    const begin = their.id.clock
    end = Math.max(end, begin + their.length)
    const until = Math.min(begin + their.length, to)
    if (!(their instanceof Y.Item) || begin >= to) continue
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
    return mine?.[0] === other?.[0] && mine?.[1] === other?.[1]
  }
  if (own.id.clock === their.id.clock && !Y.compareIDs(own.origin, their.origin)) return false
  const part = (item: Y.Item): string => shown(item.content, clock - item.id.clock, stop - item.id.clock)
  return part(own) === part(their)
}

const textOf = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part))

const shown = (content: Y.Item['content'], from: number, to: number): string => {
  if (content instanceof Y.ContentString) return content.str.slice(from, to)
  if (content instanceof Y.ContentAny || content instanceof Y.ContentJSON)
    return textOf(content.arr.slice(from, to))
  if (content instanceof Y.ContentType) return content.type.constructor.name
  if (content instanceof Y.ContentFormat) return textOf([content.key, content.value])
  if (content instanceof Y.ContentEmbed) return textOf(content.embed)
  return content instanceof Y.ContentBinary ? content.content.join() : ''
}
