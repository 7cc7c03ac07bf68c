// Joins what the node's own measurements and its devices say into one level.
// A level has to last before it is published, longer on the way to better, so
// that a value at the edge does not make the whole mesh read about it.

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
  #pendingSince: Millis | null = null
  #pendingLevel: Health = 'ok'

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
  }

  /** When the pending level may be published, or null when nothing is pending. */
  dueAt(config: MembershipConfig): Millis | null {
    if (this.#pendingSince === null) return null
    const worsens = ORDER.indexOf(this.#pendingLevel) > ORDER.indexOf(this.#published.level)
    return this.#pendingSince + (worsens ? config.healthWorseMs : config.healthBetterMs)
  }

  /** Publishes what is due; null when nothing is. */
  settle(now: Millis, config: MembershipConfig): HealthState | null {
    const dueAt = this.dueAt(config)
    if (dueAt === null || now < dueAt) return null
    this.#pendingSince = null
    this.#published = { level: this.#worst(), reasons: this.#reasons() }
    return this.#published
  }

  #worst(): Health {
    let worst = 0
    for (const { level } of this.#reports.values()) worst = Math.max(worst, ORDER.indexOf(level))
    return ORDER[worst] as Health
  }

  #reasons(): string[] {
    return [...this.#reports]
      .sort(([a], [b]) => compareText(a, b))
      .map(([source, { reason }]) => `${source}: ${reason}`)
      .slice(0, REASONS_MAX)
  }
}
