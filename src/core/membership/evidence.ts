// What an observer holds against one member, as it stands: since when it looks, when the
// link was lost or the address refused, what was asked and until when an answer counts,
// and what it has said already. `watch.ts` decides what follows.

import type { Millis } from '../ids.js'
import { sameGeneration } from '../member.js'
import type { MembershipConfig } from './config.js'
import type { Entry } from './roster.js'

export interface Watch {
  /** Place among the subject's observers; null for one that is only swept or asked about. */
  rank: number | null
  /** Since when it is watched: as an observer, once it is one. */
  since: Millis
  /** The life in which this observer had a link to it. */
  linkedInstance: string | null
  lostAt: Millis | null
  refusedAt: Millis | null
  probeSentAt: Millis | null
  probeUntil: Millis | null
  pingedFor: Millis | null
  /** Since when this observer would have accused it of silence: on the wall, and moved on by all that it stood still since. */
  unheard: { readonly since: Millis; readonly listensSince: Millis } | null
  /** A sweep's verdict on a dial that does not come back. */
  sweepUntil: Millis | null
  /** Since when it would have been accused, had this observer not doubted itself. */
  doubtedAt: Millis | null
  accusedRefutation: number | null
  accusedInstance: string | null
  repeatMs: Millis
  mayAccuseAt: Millis
}

export const newWatch = (now: Millis, linkedInstance: string | null, repeatMs: Millis): Watch => ({
  rank: null,
  since: now,
  linkedInstance,
  lostAt: null,
  refusedAt: null,
  probeSentAt: null,
  probeUntil: null,
  pingedFor: null,
  unheard: null,
  sweepUntil: null,
  doubtedAt: null,
  accusedRefutation: null,
  accusedInstance: null,
  repeatMs,
  mayAccuseAt: 0,
})

/** Two refusals are a verdict, so two observers make haste. */
export const isFirstToSpeak = (watch: Watch): boolean => (watch.rank ?? 0) < 2

export const sameLife = (watch: Watch, entry: Entry): boolean =>
  watch.linkedInstance !== null &&
  sameGeneration(entry.generation, { number: entry.generation.number, instance: watch.linkedInstance })

/** A sign of life: what was held against it waits for nothing any more. */
export const noteSign = (watch: Watch): void => {
  watch.doubtedAt = null
  watch.unheard = null
}

/** This observer stood still for so long: what it waits for was not late meanwhile. */
export const postponeWatch = (watch: Watch, byMs: Millis): void => {
  if (watch.probeUntil !== null) watch.probeUntil += byMs
  if (watch.probeSentAt !== null) watch.probeSentAt += byMs
  if (watch.lostAt !== null) watch.lostAt += byMs
  if (watch.doubtedAt !== null) watch.doubtedAt += byMs
  if (watch.sweepUntil !== null) watch.sweepUntil += byMs
  // The time of the last frame moves too: each stall would take the same silence for another, and ask again.
  if (watch.pingedFor !== null) watch.pingedFor += byMs
  const { unheard } = watch
  if (unheard !== null) watch.unheard = { ...unheard, listensSince: unheard.listensSince + byMs }
}

/**
 * Whether a machine that is always busy may believe in a silence too. It is the wall that counts, or the busier it is
 * the longer a dead member would be held present, at last for ever; but it must have listened for a part of that.
 */
export const isLongUnheard = (watch: Watch, now: Millis, config: MembershipConfig): boolean => {
  watch.unheard ??= { since: now, listensSince: now }
  const { since, listensSince } = watch.unheard
  return now - since >= config.starvedSilenceMs && now - listensSince >= config.starvedListenMs
}
