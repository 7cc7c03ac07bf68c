// How this node answers for itself: it announces itself once its generation is
// durable, says every new word one version higher, refutes whoever accuses it, rises
// above what it said in another life, and says when it is settled, ill or leaving.
//
// It never speaks before its generation is durable, and never answers more often
// than the mesh needs: a liar that accuses it again and again gets one answer for many words.

import type { Millis } from '../ids.js'
import type { Health, MemberRecord, Sealed } from '../member.js'
import type { Connect } from './connect.js'
import { HealthGauge } from './health-gauge.js'
import type { Memory } from './memory.js'
import { type Entry, isPresent } from './roster.js'
import type { Search } from './search.js'
import type { Settling } from './settling.js'
import { count, isSplit, MEMBERS_TOPIC, type Shared, send, soon } from './shared.js'
import type { Spread } from './spread.js'
import type { Verdicts } from './verdicts.js'

export interface SelfKeepingDeps {
  readonly memory: Memory
  readonly settling: Settling
  readonly spread: Spread
  readonly connect: Connect
  readonly search: Search
  readonly verdicts: Verdicts
  readonly nextToken: () => number
}

export class SelfKeeping {
  readonly #shared: Shared
  readonly #deps: SelfKeepingDeps
  readonly #gauge = new HealthGauge()
  #bootToken: number | null = null
  #newcomerUntil: Millis = 0
  #answeredAt: Millis | null = null
  #answerAbove = -1
  #isAnswerUrgent = false

  constructor(shared: Shared, deps: SelfKeepingDeps) {
    this.#shared = shared
    this.#deps = deps
  }

  /** Whether all is news to this node, and its news to nobody. */
  get isNewcomer(): boolean {
    return this.#shared.now < this.#newcomerUntil
  }

  // Boot.

  start(): void {
    const { memory } = this.#deps
    const { out, self, now } = this.#shared
    this.#bootToken = this.#deps.nextToken()
    const writes = memory.bootWrites(self.record.generation.number, now)
    out.push({ kind: 'persist', writes, flush: true, token: this.#bootToken })
  }

  /** A write is durable; if it was the generation, this node speaks from here on. */
  durable(token: number): void {
    if (token !== this.#bootToken) return
    this.#bootToken = null
    if (this.#shared.stage === 'booting') this.#announce()
    else this.publish()
  }

  #announce(): void {
    const { now, config, rng, chores, out, self, awareness, links, roster } = this.#shared
    this.#shared.stage = 'here'
    awareness.isNew(now + config.quietMs)
    out.push({ kind: 'subscribe', topic: MEMBERS_TOPIC })
    chores.set('heartbeat', now + rng.below(config.heartbeatMs))
    chores.set('exchange', now + rng.jitter(config.exchangeMs, 0.5))
    chores.set('expire', now + rng.jitter(config.expireMs, 0.3))
    chores.set('idle', now + config.lingerMs)
    chores.set('view', now + config.firstLinkMs)
    chores.set('around', now + config.firstLinkMs + awareness.dialEvidenceMs(now))
    if (!self.record.settled) {
      this.#deps.settling.dueAt(now)
      // Members of an earlier boot may be settled: they get a moment to say so.
      const remembers = roster.all().some(entry => entry.provisional)
      chores.set('settle', now + config.settleLookMs * (remembers ? 3 : 1))
    }
    for (const link of links.all()) send(this.#shared, link.node, { kind: 'hello', record: self.sealed })
    this.#deps.search.plan()
    this.#deps.connect.alone()
    this.#deps.verdicts.notify('member.alive', this.#entry())
  }

  /** The first link after being alone: this node has to be heard of, by gossip that is only just forming. */
  introduce(): void {
    const { now, config, chores, roster, stage, awareness } = this.#shared
    awareness.back(now)
    // To whom it could not speak it has been silent: they hold it dead, and its first word answers that.
    if (roster.isAlone && stage === 'here') this.reissue({})
    this.#newcomerUntil = now + config.newcomerMs
    chores.set('introduce', now + config.introduceMs)
  }

  introduceAgain(): void {
    if (this.isNewcomer) this.#shared.chores.set('introduce', this.#newcomerUntil)
    this.publish()
  }

  // Words.

  /** A new word about this node; `above` is a version that it has to overrule. */
  reissue(patch: Partial<MemberRecord>, above = 0): void {
    this.#sign(patch, above)
    this.publish()
  }

  #sign(patch: Partial<MemberRecord>, above: number): void {
    const { self, roster, now } = this.#shared
    const sealed = self.reissue(patch, above)
    const { left } = sealed.body
    roster.put(sealed, { verdict: left ? 'left' : 'alive', cause: left ? 'left' : null, since: now })
  }

  publish(): void {
    if (this.#shared.stage !== 'booting') this.#deps.spread.publishNow([this.#shared.self.sealed])
  }

  /**
   * Somebody holds something against this version: the first is answered at once, a crowd together. What is
   * held for longer, and told of so many at once (none: it is said now, of this node), may hurry less.
   */
  answer(instance: string, refutation: number, among = 0): void {
    const { now, config, self, stage } = this.#shared
    if (stage === 'leaving' || instance !== self.record.generation.instance) return
    if (refutation < self.record.refutation) return
    this.#answerAbove = Math.max(this.#answerAbove, refutation)
    if (!this.#wasSplit(among)) this.#isAnswerUrgent = true
    const nextAt = this.#answeredAt === null ? now : this.#answeredAt + config.answerPauseMs
    if (now >= nextAt) this.answerNow()
    else soon(this.#shared, 'answer', nextAt)
  }

  answerNow(): void {
    const { now, self, chores, links } = this.#shared
    chores.delete('answer')
    if (this.#answerAbove < self.record.refutation) return
    this.#answeredAt = now
    count(this.#shared, 'refutations')
    const isUrgent = this.#isAnswerUrgent
    this.#isAnswerUrgent = false
    this.#sign({}, this.#answerAbove)
    const [first] = [...links.all()].map(link => link.node).sort()
    if (isUrgent || first === undefined) this.publish()
    else send(this.#shared, first, wordOf(self.sealed))
  }

  /**
   * Where a split has healed each member has to answer, and each word to all costs every node some
   * milliseconds: it goes to one neighbor, the one that most others choose too, which passes on together what it
   * has. Should that be lost, views are compared.
   */
  #wasSplit(among: number): boolean {
    const { links, roster } = this.#shared
    if (among === 0 || links.size < 2) return false
    const dead = roster.all().filter(({ verdict }) => verdict === 'dead').length
    return isSplit(this.#shared, Math.max(among, dead))
  }

  /** Says goodbye to every neighbor directly, and to the others by gossip. */
  leave(): void {
    const { self, links } = this.#shared
    this.#shared.stage = 'leaving'
    this.reissue({ left: true })
    const goodbye = wordOf(self.sealed)
    for (const link of links.all()) send(this.#shared, link.node, goodbye)
  }

  // Other lives.

  /** A record under this node's own name: what it said before, a backup's past, or a clone. */
  meet(met: MemberRecord): void {
    const { now, id, self, config, out } = this.#shared
    const encounter = self.meet(now, met, config)
    if (encounter === 'own' || encounter === 'older') return
    if (encounter === 'clone') {
      const other = met.generation.instance
      const stays = self.record.generation.instance < other
      const message = `another process runs with the identity ${id} (instance ${other}); ${stays ? 'this one goes on' : 'this one stands down'}`
      out.push({ kind: 'notify', event: { kind: 'node.cloned', at: now, message } })
      if (!stays) return this.#standDown()
    }
    this.rise(met.generation.number)
  }

  /** A new life above the given one, spoken of once it is durable. */
  rise(aboveNumber: number): void {
    const { self, roster, now, out } = this.#shared
    const sealed = self.rise(aboveNumber)
    roster.put(sealed, { verdict: 'alive', cause: null, since: now })
    this.#bootToken = this.#deps.nextToken()
    const writes = this.#deps.memory.generationWrites(sealed.body.generation.number)
    out.push({ kind: 'persist', writes, flush: true, token: this.#bootToken })
  }

  #standDown(): void {
    const { id, out } = this.#shared
    this.#shared.stage = 'standingDown'
    out.push({
      kind: 'standDown',
      reason: `another process runs with this node's identity ${id}: a copied data directory or a cloned card. Give each its own: delete identity.key in one of them`,
    })
  }

  // Settling and health.

  settle(): void {
    const { now, config, chores, roster, self } = this.#shared
    if (self.record.settled) return
    // Where nobody is settled, nobody has to wait: after a power cut all came back at once.
    const someoneIs = roster
      .all()
      .some(entry => entry.record.settled && isPresent(entry.verdict) && !entry.provisional)
    const dueAt = this.#deps.settling.dueAt(now)
    if (someoneIs && now < dueAt) chores.set('settle', Math.min(dueAt, now + config.settleLookMs))
    else this.reissue({ settled: true })
  }

  /** It was frozen for so long that others took its tasks: it has to prove itself again. */
  unsettle(): void {
    const { now, config, chores, stage } = this.#shared
    if (stage !== 'here') return
    this.#deps.settling.flapped(now)
    chores.set('settle', now + config.settleLookMs)
    this.reissue({ settled: false })
  }

  health(source: string, level: Health, reason: string): void {
    const { now, config, chores } = this.#shared
    this.#gauge.report(now, source, level, reason)
    const dueAt = this.#gauge.dueAt(config)
    if (dueAt === null) chores.delete('health')
    else chores.set('health', dueAt)
  }

  publishHealth(): void {
    const { now, config } = this.#shared
    const state = this.#gauge.settle(now, config)
    if (state === null) return
    const before = this.#entry().record.health
    this.reissue({ health: state.level, reasons: state.reasons })
    if (state.level !== before) this.#deps.verdicts.notify('member.health', this.#entry())
  }

  #entry(): Entry {
    return this.#shared.roster.get(this.#shared.id) as Entry
  }
}

const wordOf = (record: Sealed<MemberRecord>) =>
  ({ kind: 'rumor', records: [record], accusations: [], strikes: [] }) as const
