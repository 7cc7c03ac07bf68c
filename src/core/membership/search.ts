// When this node asks its local network who is there (mDNS), and whom it dials of those
// who answer. Every node answers; it asks all the time only while it is alone, because an
// answer of each costs everybody as much as all other idle traffic together. Whoever knows
// where others are tries these first: after a power cut all would ask, and all answer each.
//
// In company it asks now and then while members are gone: those whose addresses have all
// changed, as after a power cut with new leases, may have met on an island of their own. And
// seldom where nobody is gone: two islands that have never met, as on two switches whose cable
// is plugged in later, know of nobody who is missing.

import { hashText53 } from '../hash.js'
import type { Millis } from '../ids.js'
import { createRng, type Rng } from '../rng.js'
import { isPresent, type Roster } from './roster.js'
import type { Shared } from './shared.js'

/** One link is enough to be known, or to join two islands; a few more, because some may not come about. */
const DIALS_AT_ONCE = 4
/** So many of a company ask when they have started. */
const ASKERS = 4

export class Search {
  readonly #shared: Shared
  readonly #rng: Rng
  /** Null until it has been said for the first time. */
  #isAsking: boolean | null = null
  /** Whether it was in company when it began to ask. */
  #isForOthers = false
  #hasAsked = false
  #isAlone = false
  #dials = 0
  #dialsSince: Millis = Number.NEGATIVE_INFINITY

  constructor(shared: Shared) {
    this.#shared = shared
    this.#rng = createRng(hashText53(shared.id))
  }

  /** Said again and again while it is so. */
  alone(knowsOthers: boolean): void {
    const { now, config, chores } = this.#shared
    this.#isForOthers = false
    if (!knowsOthers) this.#ask(true)
    if (this.#isAlone) return
    this.#isAlone = true
    chores.set('search', now + config.searchAloneMs)
    // It answers from the start.
    if (this.#isAsking === null) this.#ask(false)
  }

  /** A link: it is alone no more. */
  met(): void {
    if (!this.#isForOthers) this.#ask(false)
    if (!this.#isAlone) return
    this.#isAlone = false
    this.plan()
  }

  /** Sets when it asks next in company. */
  plan(): void {
    const { now, config, chores } = this.#shared
    const afterMs = this.#hasAsked ? config.searchEveryMs : config.searchFirstMs
    chores.set('search', now + this.#rng.jitter(afterMs, 0.5))
  }

  /** It is time to ask, or to end that. */
  turn(): void {
    const { now, config, links, chores } = this.#shared
    if (this.#isForOthers) {
      this.#isForOthers = false
      this.#ask(links.size === 0)
      return this.plan()
    }
    // What counts is that it asks once in company: the network may have begun late.
    if (links.size === 0) return this.#ask(true)
    const isWorthIt = this.#hasAsked ? this.#isItsTurn() : this.#isOneOfTheFirst()
    this.#hasAsked = true
    if (!isWorthIt) return this.plan()
    this.#isForOthers = true
    this.#ask(true)
    chores.set('search', now + config.searchForMs)
  }

  /** Somebody answered. In a large mesh all do, one after the other, before the first link stands. */
  found(addresses: readonly string[]): void {
    const { now, config, links, roster, out } = this.#shared
    if (links.size > 0 && !this.#isForOthers) return
    const known = links.size > 0 ? knownAddresses(roster) : new Set()
    const wanted = addresses.filter(address => !known.has(address.replace(/\/p2p\/[^/]+$/, '')))
    if (wanted.length === 0) return
    if (now - this.#dialsSince >= config.searchDialsMs) {
      this.#dials = 0
      this.#dialsSince = now
    }
    if (++this.#dials <= DIALS_AT_ONCE) out.push({ kind: 'dial', node: null, addresses: wanted })
  }

  /**
   * Those who start together may meet in pairs before anybody has met two, with nobody to remember.
   * A few of a company are enough: were all of 200 to ask, each would hear 40,000 answers.
   */
  #isOneOfTheFirst(): boolean {
    const { roster, id } = this.#shared
    const before = roster.all().filter(({ verdict, id: other }) => isPresent(verdict) && other < id)
    return before.length < ASKERS
  }

  /** While members are gone about one of those that are here asks in each period; otherwise in each longer one. */
  #isItsTurn(): boolean {
    const { roster, config } = this.#shared
    if (this.#rng.below(Math.max(1, roster.aliveCount)) > 0) return false
    if (roster.all().some(({ verdict }) => verdict === 'dead')) return true
    return this.#rng.below(Math.ceil(config.searchIdleMs / config.searchEveryMs)) === 0
  }

  #ask(on: boolean): void {
    if (this.#isAsking === on) return
    this.#isAsking = on
    this.#shared.out.push({ kind: 'discovery', on })
  }
}

/** Where the members are that are held present. */
export const knownAddresses = (roster: Roster): Set<string> => {
  const known = new Set<string>()
  for (const { verdict, record } of roster.all()) {
    if (isPresent(verdict)) for (const address of record.addresses) known.add(address)
  }
  return known
}
