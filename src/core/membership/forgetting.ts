// How a member stops being held at all: an operator strikes it, everywhere and for
// good, or it has been dead or gone for so long that nobody asks any more. It also
// sweeps, once a minute, what grew old in the other tables.
//
// A member that is present is never forgotten, and one that was struck is welcome
// again in a new life.

import type { NodeId } from '../ids.js'
import type { Sealed, Strike } from '../member.js'
import type { Parts } from './parts.js'
import { isPresent } from './roster.js'
import type { Shared } from './shared.js'

export interface ForgettingDeps
  extends Pick<
    Parts,
    'memory' | 'offences' | 'selfKeeping' | 'solitude' | 'spread' | 'verdicts' | 'watches'
  > {
  readonly seal: (body: Strike) => Sealed<Strike>
}

export class Forgetting {
  readonly #shared: Shared
  readonly #deps: ForgettingDeps

  constructor(shared: Shared, deps: ForgettingDeps) {
    this.#shared = shared
    this.#deps = deps
  }

  /** An operator's request. */
  forget(member: NodeId, request: number): void {
    const { now, roster, out, id, clock } = this.#shared
    const refuse = (code: string, message: string): void =>
      void out.push({ kind: 'refuse', request, code, message })
    const entry = roster.get(member)
    if (entry === undefined) return refuse('NOT_FOUND', `no member ${member} is known here`)
    const what = `${entry.record.name} (${member})`
    if (member === id) return refuse('MEMBER_ALIVE', `${what} is this node; it leaves with leave`)
    if (isPresent(entry.verdict) && !entry.provisional) {
      return refuse(
        'MEMBER_ALIVE',
        `${what} is ${entry.verdict}; only a member that is dead or left can be forgotten`,
      )
    }
    const generationNumber = entry.generation.number
    const at = Math.round(clock.now(now))
    this.strike(this.#deps.seal({ issuer: id, subject: member, generationNumber, at }), false)
    out.push({ kind: 'reply', request, value: null })
  }

  /** A strike, made here or heard. */
  strike(strike: Sealed<Strike>, byGossip: boolean): void {
    const { roster, links, self, out, id } = this.#shared
    const { subject, generationNumber } = strike.body
    if (!this.#deps.memory.strike(this.#shared, strike)) return
    if (!byGossip) this.#deps.spread.publishNow([], [], [strike])
    if (subject === id) {
      // Struck while away, but here: a new life is welcome.
      if (self.record.generation.number <= generationNumber) this.#deps.selfKeeping.rise(generationNumber)
      return
    }
    const entry = roster.get(subject)
    if (entry === undefined || entry.generation.number > generationNumber) return
    this.#drop(subject)
    if (links.get(subject) !== undefined) out.push({ kind: 'hangUp', node: subject, why: 'struck' })
    this.#deps.verdicts.notify('member.forgotten', entry)
  }

  expire(): void {
    const { now, config, roster, chores, rng, jury, links } = this.#shared
    const { memory, offences, solitude, verdicts } = this.#deps
    for (const entry of roster.all()) {
      const { id, verdict, cause, since, sealed } = entry
      const ageMs = now - since
      const isOver =
        (verdict === 'left' && ageMs > config.forgetLeftMs) ||
        (verdict === 'dead' && ageMs > config.forgetDeadMs)
      if (isOver && id !== this.#shared.id) {
        memory.retire(this.#shared, id, entry.generation.number)
        this.#drop(id)
        verdicts.notify('member.forgotten', entry)
      } else if (entry.proof.length > 0 && ageMs > config.proofKeepMs && !solitude.isLone(entry)) {
        roster.put(sealed, { verdict, cause, since })
      }
    }
    memory.expire(this.#shared)
    links.expire(now)
    offences.clear()
    jury.forgive(now)
    chores.set('expire', now + rng.jitter(config.expireMs, 0.3))
  }

  #drop(id: NodeId): void {
    const { roster, jury, links } = this.#shared
    roster.delete(id)
    jury.drop(id)
    links.forget(id)
    this.#deps.watches.drop(id)
    this.#deps.verdicts.suspicions.delete(id)
    this.#deps.memory.drop(this.#shared, id)
  }
}
