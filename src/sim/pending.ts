// What the world has planned. One shape for everything, so that the engine sees
// one class in its hottest loop, and no closure is made for a message.

import type { CoreEvent } from '../core/step.js'
import type { Flood } from './gossip.js'
import type { Link } from './link.js'
import type { SimNode } from './node.js'

export type PendingKind = 'event' | 'frame' | 'timer' | 'gossip' | 'direct' | 'linkUp' | 'linkDown' | 'call'

export class Pending {
  readonly kind: PendingKind
  /** Whom it reaches; null for a call. */
  readonly node: SimNode | null
  /** The life of that node it was meant for. */
  readonly life: number
  readonly size: number
  readonly link: Link | null
  readonly event: CoreEvent | null
  readonly flood: Flood | null
  readonly call: (() => void) | null
  sequence = 0

  constructor(
    kind: PendingKind,
    node: SimNode | null,
    size: number,
    link: Link | null,
    event: CoreEvent | null,
    flood: Flood | null,
    call: (() => void) | null,
  ) {
    this.kind = kind
    this.node = node
    this.life = node === null ? 0 : node.life
    this.size = size
    this.link = link
    this.event = event
    this.flood = flood
    this.call = call
  }
}
