// What is held against neighbors that break the rules of the wire: counted first,
// and once there is too much of it within a minute, cut off for a while and named.
//
// It never judges whether a member is alive, and one slip of a peer changes nothing.

import type { NodeId } from '../ids.js'
import { count, type Shared } from './shared.js'

const OFFENCES_MAX = 20
const OFFENDERS_MAX = 1_000
const BAN_MS = 30_000

export class Offences {
  readonly #shared: Shared
  readonly #counts = new Map<NodeId, number>()

  constructor(shared: Shared) {
    this.#shared = shared
  }

  get size(): number {
    return this.#counts.size
  }

  add(node: NodeId, offence: string): void {
    const { now, out } = this.#shared
    count(this.#shared, 'offences', { offence })
    const offences = (this.#counts.get(node) ?? 0) + 1
    if (offences < OFFENCES_MAX) {
      if (this.#counts.has(node) || this.#counts.size < OFFENDERS_MAX) this.#counts.set(node, offences)
      return
    }
    this.#counts.delete(node)
    out.push({
      kind: 'log',
      level: 'warn',
      text: `cut off a member that breaks the rules: ${offence}`,
      fields: { member: node },
    })
    out.push({ kind: 'ban', node, untilAt: now + BAN_MS })
  }

  /** A minute is over: what was little is forgotten. */
  clear(): void {
    this.#counts.clear()
  }
}
