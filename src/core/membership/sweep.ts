// Reaching for whoever may be gone after a heavy loss. When few are left ranks alone stall:
// a split of 49 and 1 never settled in the model. It says when a loss is heavy (most links
// silent or lost, many members accused by several), asks all neighbors, and dials others;
// each failure is evidence.
//
// Whom it dials, and when, keeps it from costing more than the loss. Who speaks is alive, and
// somebody who speaks and watches a member would say that it is gone; those whose words count
// against a member dial it first, and all others when these did not suffice. On the smaller
// side of a split nobody waits for anybody; but who hears few of its neighbors may be on a
// busy machine, and first listens who speaks, or asks a few others where there is hardly anybody
// to hear. 50 nodes on two cores that were cut in halves dialled all at once, shook hands with 25
// members that nobody missed, and took 32 s to agree.

import type { Millis, NodeId } from '../ids.js'
import type { Connect } from './connect.js'
import { isPresent } from './roster.js'
import { ask, count, isSplit, type Shared, soon } from './shared.js'
import type { Watches } from './watch.js'

/** Some of those without a link, dialled to see how many are left. */
interface Sample {
  readonly ids: readonly NodeId[]
  readonly heard: number
  readonly links: number
  readonly until: Millis
}

export class Sweep {
  readonly #shared: Shared
  readonly #watches: Watches
  readonly #connect: Connect
  /** Who has not been reached for yet. */
  #queue: NodeId[] = []
  readonly #flight = new Set<NodeId>()
  #begunAt: Millis | null = null
  /** Who watched those whom it reaches for when it began. */
  readonly #watchers = new Map<NodeId, readonly NodeId[]>()
  /** Whether it hears few of its neighbors: it is on the smaller side of a split, where nobody waits for others. */
  #hearsFew = false
  #hasListened = false
  #sample: Sample | null = null
  /** Who has said something to all since it began. */
  readonly #spoken = new Set<NodeId>()
  /** Whom it lost a link with since then. */
  #lost: { readonly since: Millis; readonly nodes: Set<NodeId> } = { since: 0, nodes: new Set() }
  #checkedAt: Millis = 0

  constructor(shared: Shared, watches: Watches, connect: Connect) {
    this.#shared = shared
    this.#watches = watches
    this.#connect = connect
  }

  get size(): number {
    return this.#queue.length + this.#flight.size + this.#spoken.size + this.#watchers.size
  }

  /**
   * It has started, and had the time of a dial: where most neighbors are remembered and could not be reached,
   * who is there? A newcomer whose dials are slow is not where nobody is, but where all are busy.
   */
  lookAround(): void {
    const { links, roster } = this.#shared
    const missed = [...links.wanted].filter(id => roster.get(id)?.provisional && links.hasFailed(id))
    if (links.size > 0 && missed.length * 2 > links.wanted.size) this.#begin(0)
  }

  /** A link was lost: with enough of them at once, reach for everybody. One that breaks again and again is one. */
  linkLost(id: NodeId): void {
    const { now, config, links } = this.#shared
    if (now - this.#lost.since > config.suspicionMaxMs) this.#lost = { since: now, nodes: new Set() }
    this.#lost.nodes.add(id)
    if (this.#lost.nodes.size > links.size) this.#beginInDoubt(null)
  }

  /** A subject is late: ask every neighbor for a sign of life, to see whether it is this node that is cut off. */
  checkNeighbors(): void {
    const { now, config, links, chores } = this.#shared
    if (chores.get('neighbors') !== null || now < this.#checkedAt + config.silentFloorMs) return
    this.#checkedAt = now
    for (const link of links.all()) {
      if (now - link.pulse.lastFrameAt > config.probeTimeoutMs / 2) ask(this.#shared, link)
    }
    chores.set('neighbors', now + config.probeTimeoutMs * this.#shared.awareness.stretch(now))
  }

  /** The answers are in: with more than half of the neighbors silent, reach for everybody. */
  countNeighbors(): void {
    const { config, links } = this.#shared
    const heard = this.#heardSince(this.#checkedAt - config.probeTimeoutMs / 2)
    if (heard * 2 < links.size) this.#beginInDoubt(heard)
  }

  /**
   * Many members are under accusation at once: that is a split, not an illness; but one who accuses
   * them all is ill. Of 50 of which 5 are left, these accuse the others by the dozen each.
   */
  consider(): void {
    const { now, config, jury, links } = this.#shared
    const { splitMembers } = config
    const { accused, accusers, own } = jury.extent()
    const isMany = isSplit(this.#shared, accused)
    // Who has few links, as after a restart, cannot hear many.
    const isSeenByMany = accusers >= splitMembers || accusers * 2 >= Math.min(accused, links.size)
    if (!isMany || (own < splitMembers && !isSeenByMany)) return
    this.#begin()
    // Who was just accused may be this node's to dial; more words are on their way.
    if (this.#queue.length > 0) soon(this.#shared, 'sweep', now + config.rumorBatchMs)
  }

  /** Most of its own links are silent or lost. */
  #beginInDoubt(heard: number | null): void {
    this.#watches.doubt()
    // Where a machine has too little of itself, 50 handshakes make it worse, and it would blame whoever is slow.
    const { now, awareness } = this.#shared
    if (now >= Math.max(awareness.starvedUntil, awareness.deafUntil)) this.#begin(heard)
  }

  /** How many of its neighbors it hears is not always known yet. */
  #begin(heard: number | null = null): void {
    const { now, config, roster, rng, id, links, awareness } = this.#shared
    const pauseMs = config.sweepPauseMs * awareness.stretch(now)
    if (this.#begunAt !== null && now - this.#begunAt < pauseMs) return
    const others = roster.all().filter(entry => entry.id !== id && isPresent(entry.verdict))
    if (others.length < 2) return
    this.#begunAt = now
    awareness.upheaval(now)
    this.#spoken.clear()
    this.#hasListened = false
    this.#hearsFew = false
    this.#sample = null
    count(this.#shared, 'sweeps')
    const all = rng.shuffle(others.map(entry => entry.id))
    for (const each of all) if (links.get(each) !== undefined) this.#watches.sweep(each)
    this.#queue = all.filter(each => links.get(each) === undefined).slice(0, config.sweepMembersMax)
    this.#watchers.clear()
    for (const each of this.#queue)
      this.#watchers.set(each, roster.observersOf(each, config.observersPerMember))
    if (heard !== null) this.#weigh(heard)
    this.#advance()
  }

  /** It heard so many of its neighbors: few may be left, or it may be too busy to hear. */
  #weigh(heard: number): void {
    const { now, config, links, awareness, roster } = this.#shared
    if (heard >= 2 && heard * 3 >= links.size) return
    const askable = this.#queue.filter(id => roster.get(id)?.record.dialable && !links.isDialing(now, id))
    // A few are dialled in the time in which a sample of them would be.
    if (this.#queue.length <= config.sweepAtOnce || askable.length < config.sweepSample) {
      this.#hearsFew = true
      return
    }
    // A handshake costs a machine more than twenty words: whoever hears two, or is busy, listens for words alone.
    const listens = heard >= 2 || awareness.isBusy(now)
    const ids = listens ? [] : askable.slice(0, config.sweepSample)
    const until = now + config.sweepSampleMs * awareness.stretch(now)
    this.#sample = { ids, heard, links: links.size, until }
    this.#queue = this.#queue.filter(id => !ids.includes(id))
    for (const id of ids) this.#reach(id)
  }

  /** Of those that were asked some may be there, and then it is no small side that this node is on. */
  #readSample(): void {
    const { links, jury } = this.#shared
    if (this.#sample === null) return
    const { ids, heard, links: linked } = this.#sample
    const there = ids.filter(id => links.get(id) !== undefined || links.dialAcceptedAt(id) !== null)
    for (const id of jury.accusers()) this.#spoken.add(id)
    const spoken = [...this.#spoken].filter(id => links.get(id) === undefined && !ids.includes(id))
    this.#hearsFew ||= (heard + there.length + spoken.length) * 3 < linked + ids.length
  }

  /** A word of this member came that it said to all. */
  spoke(id: NodeId): void {
    if (this.#queue.length > 0) this.#spoken.add(id)
  }

  /** Until when it waits for words of those whom nobody accuses. */
  get #listensUntil(): Millis {
    const { now, config, awareness } = this.#shared
    if (this.#hearsFew) return this.#begunAt ?? now
    if (this.#sample !== null) return this.#sample.until
    return (this.#begunAt ?? now) + config.sweepListenMs * awareness.stretch(now)
  }

  /** From when on it dials those too that others are nearer to: where few are left, nobody may be nearer. */
  get #allFromAt(): Millis {
    const { now, config, awareness } = this.#shared
    if (this.#hearsFew) return this.#begunAt ?? now
    return this.#listensUntil + awareness.dialEvidenceMs(now) + config.sweepVerdictMs
  }

  /** A link opened to it, or all dials failed. */
  ended(id: NodeId): void {
    if (this.#flight.delete(id)) this.#advance()
  }

  /** Who has had the time of a dial gives place to the next, and who has listened begins. */
  advance(): void {
    const { now, links, awareness } = this.#shared
    for (const id of this.#flight) {
      const startedAt = links.dialStartedAt(id)
      if (startedAt === null || now - startedAt >= awareness.dialEvidenceMs(now)) this.#flight.delete(id)
    }
    this.#advance()
  }

  #advance(): void {
    const { now, roster, links, jury } = this.#shared
    this.#hearsFew ||= this.#areMostAccused()
    if (now >= this.#listensUntil && !this.#hasListened) {
      this.#hasListened = true
      // All have been asked when it began.
      if (this.#sample !== null) this.#readSample()
      else if (!this.#hearsFew) this.#weigh(this.#heardSince(this.#begunAt ?? now))
      if (this.#sample !== null) this.#hasListened = now >= this.#sample.until
    }
    const isListening = now < this.#listensUntil
    const isLate = now >= this.#allFromAt
    // Who accuses somebody has spoken as well.
    for (const accuser of jury.accusers()) this.#spoken.add(accuser)
    const rest: NodeId[] = []
    for (const id of this.#queue) {
      const entry = roster.get(id)
      if (entry === undefined || !isPresent(entry.verdict) || links.get(id) !== undefined) continue
      const isAccused = jury.isAccused(id)
      const isTurn = this.#hearsFew || this.#isItsTurn(id)
      // Whom nobody accuses somebody would accuse who watches it, unless all these are gone.
      if (!isAccused && (this.#spoken.has(id) || (isLate && (!isTurn || this.#isWatched(id))))) continue
      const mustWait = isListening || !(isLate || (isTurn && (isAccused || this.#isLeftAlone(id))))
      if (mustWait || this.#flight.size >= this.#atOnce) {
        rest.push(id)
        continue
      }
      this.#reach(id)
    }
    this.#queue = rest
    if (rest.length === 0) {
      this.#spoken.clear()
      this.#watchers.clear()
    }
    this.#plan()
  }

  /** How many it dials at a time: what a busy node asks for makes it, and others beside it, busier. */
  get #atOnce(): number {
    const { now, config, awareness } = this.#shared
    if (!awareness.isBusy(now)) return config.sweepParallel
    return this.#hearsFew ? config.sweepParallelFew : config.sweepParallelBusy
  }

  #reach(id: NodeId): void {
    this.#watches.sweep(id)
    if (!this.#shared.roster.get(id)?.record.dialable) return
    this.#flight.add(id)
    this.#connect.dial(id)
  }

  /** Somebody speaks who watches it, and would say in time that it is gone. */
  #isWatched(id: NodeId): boolean {
    if (this.#hearsFew) return false
    const { config, roster } = this.#shared
    return roster.observersOf(id, config.observersPerMember).some(watcher => this.#spoken.has(watcher))
  }

  /** All who would say that it is gone are gone, or accused themselves. */
  #isLeftAlone(id: NodeId): boolean {
    const { roster, jury } = this.#shared
    const isGone = (watcher: NodeId): boolean => {
      const entry = roster.get(watcher)
      return entry === undefined || !isPresent(entry.verdict) || jury.isAccused(watcher)
    }
    return this.#watchers.get(id)?.every(isGone) ?? false
  }

  /** When it goes on: when it has listened, when the nearest have had their time, when dials have had theirs. */
  #plan(): void {
    const { now, chores, awareness } = this.#shared
    const times = [this.#listensUntil, this.#allFromAt].filter(at => now < at && this.#queue.length > 0)
    if (this.#flight.size > 0) times.push(now + awareness.dialEvidenceMs(now))
    if (times.length > 0) chores.set('sweep', Math.min(...times))
    else chores.delete('sweep')
  }

  /** Those whose words count against a member, and who are not accused themselves, dial it first: these are enough. */
  #isItsTurn(id: NodeId): boolean {
    const { config, roster, jury, id: self } = this.#shared
    const bench = roster
      .observersOf(id, 2 * config.observersPerMember)
      .filter(each => each === self || !jury.isMute(each))
    return bench.slice(0, config.observersPerMember).includes(self)
  }

  /** There are few of whom nobody says that they are gone. */
  #areMostAccused(): boolean {
    const { jury, roster } = this.#shared
    return jury.extent().accused * 5 > roster.aliveCount * 3
  }

  #heardSince(at: Millis): number {
    let heard = 0
    for (const { pulse } of this.#shared.links.all()) if (pulse.lastFrameAt >= at) heard++
    return heard
  }
}
