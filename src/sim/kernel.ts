// What the parts of the world ask of its centre: the time, a place on the plan,
// the nodes, and the tallies.

import type { NodeId } from '../core/ids.js'
import type { CoreEvent } from '../core/step.js'
import type { SimConfig } from './config.js'
import type { SimNode } from './node.js'
import type { Paths } from './paths.js'
import type { Pending } from './pending.js'
import type { Processors } from './processors.js'
import type { SizeOf } from './size.js'

export interface Tally {
  messagesSent: number
  messagesDelivered: number
  messagesLost: number
  gossipPublished: number
  gossipDelivered: number
  gossipDuplicates: number
  dials: number
  dialsFailed: number
  dialsCollapsed: number
  linksOpened: number
  linksBroken: number
  crashes: number
  boots: number
}

export const emptyTally = (): Tally => ({
  messagesSent: 0,
  messagesDelivered: 0,
  messagesLost: 0,
  gossipPublished: 0,
  gossipDelivered: 0,
  gossipDuplicates: 0,
  dials: 0,
  dialsFailed: 0,
  dialsCollapsed: 0,
  linksOpened: 0,
  linksBroken: 0,
  crashes: 0,
  boots: 0,
})

export interface Kernel {
  readonly config: SimConfig
  readonly seed: number
  readonly nodes: readonly SimNode[]
  readonly paths: Paths
  readonly processors: Processors
  readonly tally: Tally
  readonly sizeOf: SizeOf
  readonly nowUs: number
  nodeOf(id: NodeId): SimNode | undefined
  nodeAt(address: string): SimNode | undefined
  plan(atUs: number, pending: Pending): void
  call(atUs: number, run: () => void): void
  /** Plans an event for the node's present life. */
  planEvent(atUs: number, node: SimNode, event: CoreEvent): void
  /** Steps the node's core, now if it has its processor; the node must be up. */
  deliver(node: SimNode, event: CoreEvent, size: number): void
}
