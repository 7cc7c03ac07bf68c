// Which connection to a neighbor is the link. Two nodes may dial each other at
// once; both must then choose the same connection, with no word exchanged:
//   1. A node opens the link stream on a connection that it dialled, and only if it
//      has no link with that neighbor at that moment.
//   2. If both did so within the time of a dial, the connection that the smaller id
//      dialled is written to; the other one is read until its dialer closes it, so
//      nothing is lost in between.
//   3. A link stream that comes later than that means that its sender knows of no
//      link: the older connection is a dead man's (a host lost power, a NAT forgot),
//      and is ended as broken before the new one counts.
// Pure bookkeeping: no sockets, no timers; it answers what to do.

import type { Millis, NodeId } from '../../core/ids.js'
import { limits } from './limits.js'

export interface Line {
  readonly node: NodeId
  /** True if this node dialled it. */
  readonly outbound: boolean
  readonly address: string
  readonly readyAt: Millis
}

export type LineDecision =
  /** The first line: the link is up. */
  | 'up'
  /** A crossing dial that wins: write to it from now on. */
  | 'switch'
  /** A crossing dial that loses: read it only. */
  | 'spare'
  /** All lines before it are dead: the link was down and is up again. */
  | 'replace'

export class Peers<L extends Line> {
  readonly #self: NodeId
  readonly #lines = new Map<NodeId, L[]>()

  constructor(self: NodeId) {
    this.#self = self
  }

  /** The line that is written to. */
  current(node: NodeId): L | undefined {
    return this.#lines.get(node)?.[0]
  }

  isUp(node: NodeId): boolean {
    return this.#lines.has(node)
  }

  nodes(): readonly NodeId[] {
    return [...this.#lines.keys()]
  }

  lines(node: NodeId): readonly L[] {
    return this.#lines.get(node) ?? []
  }

  decide(line: L): LineDecision {
    const current = this.current(line.node)
    if (current === undefined) return 'up'
    const crossing = current.outbound !== line.outbound && line.readyAt - current.readyAt <= limits.crossingMs
    if (!crossing) return 'replace'
    return line.outbound === this.#self < line.node ? 'switch' : 'spare'
  }

  /** Follows a decision; for `replace` the lines before it must have been removed. */
  add(line: L, decision: LineDecision): void {
    const lines = this.#lines.get(line.node) ?? []
    if (decision === 'spare') lines.push(line)
    else lines.unshift(line)
    this.#lines.set(line.node, lines)
  }

  /** Says whether it was the last line, so that the link is down. */
  remove(line: L): boolean {
    const lines = this.#lines.get(line.node)
    const index = lines?.indexOf(line) ?? -1
    if (lines === undefined || index < 0) return false
    lines.splice(index, 1)
    if (lines.length > 0) return false
    this.#lines.delete(line.node)
    return true
  }
}
