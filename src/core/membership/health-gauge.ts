// Joins what the node's own measurements and its devices say into one level.
// A level has to last before it is published, longer on the way to better, so
// that a value at the edge does not make the whole mesh read about it. Where the
// level stays and other sources are behind it, that is published too, once it has
// lasted: a reason that is over, beside one that is not said, misleads whoever looks.

import { compareText, type Millis } from '../ids.js'
import type { Health } from '../member.js'
import type { MembershipConfig } from './config.js'

export interface HealthState {
  readonly level: Health
  readonly reasons: readonly string[]
}

const ORDER: readonly Health[] = ['ok', 'strained', 'failing']
const REASONS_MAX = 8
const SOURCES_MAX = 64

export class HealthGauge {
  readonly #reports = new Map<string, { level: Health; reason: string }>()
  #published: HealthState = { level: 'ok', reasons: [] }
  #publishedSources = ''
  #pendingSince: Millis | null = null
  #pendingLevel: Health = 'ok'
  /** Since when these sources are behind the level that is published, and others are said to be. */
  #otherSince: Millis | null = null
  #otherSources = ''

  /** What one source says now; `ok` takes its word back. */
  report(now: Millis, source: string, level: Health, reason: string): void {
    if (level === 'ok') this.#reports.delete(source)
    else if (this.#reports.has(source) || this.#reports.size < SOURCES_MAX) {
      this.#reports.set(source, { level, reason })
    }
    const worst = this.#worst()
    if (worst === this.#published.level) this.#pendingSince = null
    else if (this.#pendingSince === null || worst !== this.#pendingLevel) this.#pendingSince = now
    this.#pendingLevel = worst
    const sources = this.#sources()
    if (worst !== this.#published.level || sources === this.#publishedSources) this.#otherSince = null
    else if (this.#otherSince === null || sources !== this.#otherSources) this.#otherSince = now
    this.#otherSources = sources
  }

  /** When what is pending may be published, or null when nothing is. */
  dueAt(config: MembershipConfig): Millis | null {
    if (this.#otherSince !== null) return this.#otherSince + config.healthBetterMs
    if (this.#pendingSince === null) return null
    const worsens = ORDER.indexOf(this.#pendingLevel) > ORDER.indexOf(this.#published.level)
    return this.#pendingSince + (worsens ? config.healthWorseMs : config.healthBetterMs)
  }

  /** Publishes what is due; null when nothing is. */
  settle(now: Millis, config: MembershipConfig): HealthState | null {
    const dueAt = this.dueAt(config)
    if (dueAt === null || now < dueAt) return null
    this.#pendingSince = null
    this.#otherSince = null
    this.#published = { level: this.#worst(), reasons: this.#reasons() }
    this.#publishedSources = this.#sources()
    return this.#published
  }

  #worst(): Health {
    let worst = 0
    for (const { level } of this.#reports.values()) worst = Math.max(worst, ORDER.indexOf(level))
    return ORDER[worst] as Health
  }

  #sources(): string {
    return [...this.#reports.keys()].sort(compareText).join('\n')
  }

  #reasons(): string[] {
    return [...this.#reports]
      .sort(([a], [b]) => compareText(a, b))
      .map(([source, { reason }]) => `${source}: ${reason}`)
      .slice(0, REASONS_MAX)
  }
}
