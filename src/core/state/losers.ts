// Entries that lost against a newer one of their key stay until somebody removes them:
// twenty writers of the same 100 keys left 15.8 times the live data after a partition had
// healed. Decides which of them this node removes: where it wrote the winner, or stands
// in, as the first of the live holders, for a writer that is gone.
//
// It never removes what others are there to remove: the same delete by everybody would
// be as many broadcasts.

import type { Millis } from '../ids.js'
import type { Entry } from './entries.js'
import type { Frame } from './frame.js'
import type { Interest } from './interest.js'
import type { OwnWrites } from './own-writes.js'
import type { Replica } from './replica.js'

export class Losers {
  readonly #frame: Frame
  readonly #interest: Interest
  readonly #own: OwnWrites

  constructor(frame: Frame, interest: Interest, own: OwnWrites) {
    this.#frame = frame
    this.#interest = interest
    this.#own = own
  }

  /** To be called when entries of a replica may have lost. */
  look(now: Millis, replica: Replica): void {
    const { config, deadlines, rng } = this.#frame
    const key = `tidy ${replica.document}`
    if (replica.entries.contested.size === 0 || deadlines.get(key) !== null) return
    deadlines.set(key, now + rng.jitter(config.tidyDelayMs, 0.5))
  }

  tidy(now: Millis, replica: Replica): void {
    const losers: Entry[] = []
    const isFirst = this.#interest.isFirstHolder(replica.name)
    let more = false
    let isOverOwn = true
    for (const key of replica.entries.contested) {
      const [winner, ...rest] = replica.entries.of(key)
      if (winner === undefined) continue
      const writer = replica.writerOf(winner.client)
      const isOurs =
        writer === this.#frame.self || (isFirst && (writer === null || !this.#interest.isLive(writer)))
      if (!isOurs) continue
      isOverOwn &&= winner.client === replica.client
      // A key may have more than a transaction, or a call's arguments, can hold.
      const { tidyEntriesMax } = this.#frame.config
      for (const loser of rest.slice(0, tidyEntriesMax - losers.length)) losers.push(loser)
      more = losers.length >= tidyEntriesMax
      if (more) break
    }
    if (losers.length > 0) this.#own.strike(replica, losers, isOverOwn)
    if (more) this.look(now, replica)
  }
}
