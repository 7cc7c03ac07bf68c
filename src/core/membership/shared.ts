// What the parts of membership have in common during one step: the tables, the
// time, and the list of effects that the step will return.

import type { DeadlineQueue } from '../deadline-queue.js'
import type { Millis, NodeId } from '../ids.js'
import type { Accusation, Sealed } from '../member.js'
import type { Message } from '../message.js'
import type { Rng } from '../rng.js'
import type { Channel, Effect } from '../step.js'
import type { Awareness } from './awareness.js'
import type { MembershipConfig } from './config.js'
import type { Jury } from './jury.js'
import type { Link, Links } from './links.js'
import type { MeshClock } from './mesh-clock.js'
import type { Roster } from './roster.js'
import type { SelfRecord } from './self.js'

/** The gossip topic of records and accusations. */
export const MEMBERS_TOPIC = 'members'

export interface AccusationSealer {
  accusation(body: Accusation): Sealed<Accusation>
}

export type Chore =
  | 'heartbeat'
  | 'exchange'
  | 'rumors'
  | 'relay'
  | 'view'
  | 'seek'
  | 'branches'
  | 'alone'
  | 'around'
  | 'search'
  | 'compare'
  | 'join'
  | 'dead'
  | 'sweep'
  | 'settle'
  | 'health'
  | 'expire'
  | 'idle'
  | 'verify'
  | 'neighbors'
  | 'introduce'
  | 'answer'
  | 'warn'
  | 'remember'

/** `booting` until the generation is durable; in the last two it accuses nobody and takes no links. */
export type Stage = 'booting' | 'here' | 'leaving' | 'standingDown'

export interface Shared {
  now: Millis
  stage: Stage
  out: Effect[]
  readonly id: NodeId
  readonly config: MembershipConfig
  readonly rng: Rng
  readonly roster: Roster
  readonly jury: Jury
  readonly links: Links
  readonly self: SelfRecord
  readonly clock: MeshClock
  readonly awareness: Awareness
  readonly sealer: AccusationSealer
  readonly chores: DeadlineQueue<Chore>
}

export const send = (shared: Shared, to: NodeId, message: Message, channel: Channel = 'link'): void => {
  shared.out.push({ kind: 'send', to, channel, message })
}

export const count = (shared: Shared, metric: string, labels?: Readonly<Record<string, string>>): void => {
  shared.out.push({ kind: 'count', metric, by: 1, ...(labels === undefined ? {} : { labels }) })
}

/** Asks a neighbor for a sign of life. */
export const ping = (shared: Shared, link: Link): void => {
  const { now, clock } = shared
  link.pingNonce++
  link.pingSentAt = now
  send(shared, link.node, { kind: 'ping', nonce: link.pingNonce, meshTime: clock.wall(now) })
}

/** The same, unless it was asked since its last frame and has not answered yet; returns when that was. */
export const ask = (shared: Shared, link: Link): Millis => {
  const { pingSentAt, pulse } = link
  if (pingSentAt !== null && pingSentAt > pulse.lastFrameAt) return pingSentAt
  ping(shared, link)
  return shared.now
}

/** Sets a chore's deadline unless an earlier one stands. */
export const soon = (shared: Shared, chore: Chore, at: Millis): void => {
  const held = shared.chores.get(chore)
  if (held === null || held > at) shared.chores.set(chore, at)
}

/** Whether so many of a mesh of this size are concerned at once that it is, or was, split. */
export const isSplit = ({ config, roster }: Shared, members: number): boolean =>
  members >= config.splitMembers && members * config.splitShare >= roster.aliveCount
