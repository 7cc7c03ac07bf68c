// One simulated machine with one process: its clock, its disk, its connections,
// and the core that runs on it. What a process loses when it dies stands apart
// from what its machine keeps.

import type { Millis, NodeId } from '../core/ids.js'
import type { CoreEvent, Stepper } from '../core/step.js'
import { SimDisk } from './disk.js'
import type { Link } from './link.js'
import type { Pending } from './pending.js'

/** `down`: the process is gone, its host answers. `off`: the host is gone. */
export type NodeStatus = 'up' | 'frozen' | 'down' | 'off'

/** Virtual time begins here: 1 January 2026. */
const EPOCH_MS = 1_767_225_600_000

export class SimNode {
  readonly index: number
  readonly id: NodeId
  address: string
  readonly dialable: boolean
  readonly disk = new SimDisk()
  readonly driftPpm: number
  status: NodeStatus = 'down'
  /** Grows with every boot and every end; events of an earlier life do not reach this one. */
  life = 0
  boots = 0
  core: Stepper | null = null
  /** When a fault last touched this node, and since when its process runs, in virtual ms. */
  disturbedAtMs: Millis = 0
  upSinceMs: Millis = 0
  /** When its last process ended. */
  endedAtMs: Millis = 0
  bytesSent = 0
  bytesReceived = 0
  readonly links = new Map<number, Link>()
  readonly bans = new Map<number, number>()
  /** What a frozen process finds when it wakes. */
  readonly held: Pending[] = []
  readonly backlog: (() => void)[] = []
  /** The ends of links that it hung up itself: told right after the step, before anything new can come from that peer. */
  readonly farewells: CoreEvent[] = []
  wakeAt: Millis | null = null
  /** The planned timer: when it comes, and for which time on the node's clock. */
  armedUs = Number.POSITIVE_INFINITY
  armedForAt: Millis = Number.POSITIVE_INFINITY
  timersAtUs = -1
  timersAtOnce = 0
  commitRunning = false
  lazyPlanned = false
  #offsetMs: Millis
  #wallMs: Millis

  constructor(
    index: number,
    id: NodeId,
    address: string,
    dialable: boolean,
    offsetMs: Millis,
    driftPpm: number,
  ) {
    this.index = index
    this.id = id
    this.address = address
    this.dialable = dialable
    this.driftPpm = driftPpm
    this.#offsetMs = EPOCH_MS + offsetMs
    this.#wallMs = this.#offsetMs
  }

  /** What this node's core takes for the time: never runs backwards within a life. */
  localMs(atUs: number): Millis {
    return this.#offsetMs + (atUs / 1000) * (1 + this.driftPpm / 1_000_000)
  }

  /** The first microsecond at which the node's clock shows at least this time. */
  globalUs(local: Millis): number {
    let atUs = Math.ceil(((local - this.#offsetMs) / (1 + this.driftPpm / 1_000_000)) * 1000)
    while (this.localMs(atUs) < local) atUs++
    return atUs
  }

  /** When the core wants a timer: the earlier of its deadline and of what it asked to be woken for. */
  get dueAt(): Millis | null {
    const deadlineAt = this.core?.nextDeadlineAt ?? null
    if (deadlineAt === null) return this.wakeAt
    return this.wakeAt === null ? deadlineAt : Math.min(deadlineAt, this.wakeAt)
  }

  /** Sets the machine's clock; returns how far it now stands from what the process began with. */
  jump(byMs: Millis): Millis {
    this.#wallMs += byMs
    return this.#wallMs - this.#offsetMs
  }

  /** Forgets the planned timer; it finds itself unwanted when it comes. */
  disarm(): void {
    this.armedUs = Number.POSITIVE_INFINITY
    this.armedForAt = Number.POSITIVE_INFINITY
  }

  /** A new process takes the machine's clock for its own. */
  adoptWall(): void {
    this.#offsetMs = this.#wallMs
  }
}
