// The whole core: membership, shared state and tasks behind one `step`. Each part
// keeps to itself; here they hear of each other, in one order, until nothing new
// follows: members first, state next, tasks last.
//
// What belongs to all of them is decided here too: the shared counter of tokens,
// and leaving, which first gives the tasks away and then says goodbye.

import type { Millis, NodeId } from './ids.js'
import type { MembershipConfig } from './membership/config.js'
import { membershipLan } from './membership/config.js'
import { Membership, type MembershipDeps } from './membership/membership.js'
import type { StateConfig } from './state/config.js'
import { resolveStateConfig } from './state/config.js'
import { createStateCore, STATE_PREFIX, type StateCore } from './state/state-core.js'
import type { CoreEvent, Effect, Stepper, StoreEntry } from './step.js'
import { createTaskEngine, type TaskEngine, type TaskEngineDeps } from './tasks/engine.js'
import { ENGINE_DEFAULTS, type EngineConfig } from './tasks/engine-config.js'

export interface CoreConfig {
  readonly membership: MembershipConfig
  readonly state: StateConfig
  readonly tasks: EngineConfig
  /** How long a leaving node waits for its copies to be handed over; it has 5 s to exit in all. */
  readonly leaveMs: Millis
  /** How long a node that goes waits to hear that what it handed over runs elsewhere. */
  readonly passMs: Millis
  /** How long goodbyes have to reach the neighbors before the connections close. */
  readonly goodbyeMs: Millis
}

export const coreDefaults: CoreConfig = Object.freeze({
  membership: membershipLan,
  state: resolveStateConfig(),
  tasks: ENGINE_DEFAULTS,
  leaveMs: 3_500,
  passMs: 700,
  goodbyeMs: 150,
})

export interface NodeCoreDeps extends Omit<MembershipDeps, 'config' | 'nextToken' | 'entries'> {
  readonly config: CoreConfig
  readonly zoneOffset: TaskEngineDeps['zoneOffset']
  /**
   * How long a node that remembers no members, but is to find some, waits to hear what the mesh has before
   * it acts alone: 0, or left out, for one that is the first. What it would do before is done twice.
   */
  readonly awaitMs?: Millis
  /** The recovered store, by prefix. */
  readonly entries: (prefix: string) => Iterable<StoreEntry>
}

type Leaving =
  | { readonly phase: 'no' }
  | { readonly phase: 'handing'; readonly untilAt: Millis }
  /** Nothing runs here any more; the new owners are still to be heard of. */
  | { readonly phase: 'passing'; readonly untilAt: Millis }
  | { readonly phase: 'goodbye'; readonly untilAt: Millis }
  | { readonly phase: 'gone' }

export class NodeCore implements Stepper {
  readonly members: Membership
  readonly state: StateCore
  readonly tasks: TaskEngine
  readonly #config: CoreConfig
  #leaving: Leaving = { phase: 'no' }
  /** Whoever asked for it, and is answered when the goodbyes have gone out. */
  readonly #leavers: number[] = []
  #seenMembers = -1
  #seenHeld = -1
  #wasExchanged = false

  constructor(deps: NodeCoreDeps) {
    this.#config = deps.config
    let token = 1
    const nextToken = (): number => token++
    this.members = new Membership({
      ...deps,
      config: deps.config.membership,
      rng: deps.rng.fork(1),
      nextToken,
      entries: deps.entries('m/'),
    })
    const self = this.members.self
    const { bootGate } = deps.config.tasks
    const waitMs = this.members.hasProvisional ? bootGate.waitMs : (deps.awaitMs ?? 0)
    const awaits = waitMs > 0
    this.state = createStateCore({
      self,
      members: this.members,
      config: awaits ? { ...deps.config.state, firstExchangeMs: waitMs } : deps.config.state,
      rng: deps.rng.fork(2),
      nextToken,
      awaits,
      entries: deps.entries(STATE_PREFIX),
    })
    this.tasks = createTaskEngine({
      self,
      members: this.members,
      state: this.state,
      config: { ...deps.config.tasks, bootGate: { ...bootGate, awaits, waitMs } },
      rng: deps.rng.fork(3),
      nextToken,
      zoneOffset: deps.zoneOffset,
      meshTime: now => this.members.meshTime(now),
      entries: [...deps.entries('t/')],
    })
  }

  get self(): NodeId {
    return this.members.self
  }

  get isLeaving(): boolean {
    return this.#leaving.phase !== 'no'
  }

  get nextDeadlineAt(): Millis | null {
    const own = 'untilAt' in this.#leaving ? this.#leaving.untilAt : null
    let next: Millis | null = own
    for (const at of [this.members.nextDeadlineAt, this.state.nextDeadlineAt, this.tasks.nextDeadlineAt]) {
      if (at !== null && (next === null || at < next)) next = at
    }
    return next
  }

  step(now: Millis, event: CoreEvent): readonly Effect[] {
    const out: Effect[] = []
    if (event.kind === 'leave') this.#leave(now, event.request, out)
    else {
      add(out, this.members.step(now, event))
      add(out, this.state.step(now, event))
      add(out, this.tasks.step(now, event))
    }
    this.#settle(now, out)
    return out
  }

  /** Lets each part hear of the others until nothing new follows. */
  #settle(now: Millis, out: Effect[]): void {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      let isQuiet = true
      if (this.members.revision !== this.#seenMembers) {
        isQuiet = false
        this.#seenMembers = this.members.revision
        add(out, this.state.membersChanged(now))
        add(out, this.tasks.membersChanged(now, this.members.takeChanged()))
        this.#seenHeld = -1
      }
      // Of a space that begins when all is calm no member's record tells: it is to have its neighbors too.
      if (this.state.held !== this.#seenHeld) {
        this.#seenHeld = this.state.held
        add(out, this.members.wantNeighbors(now, this.state.wantedNeighbors()))
      }
      for (const { space, keys } of this.state.takeChanges()) {
        isQuiet = false
        if (space.startsWith('shoal.')) add(out, this.tasks.stateChanged(now, space, keys))
      }
      for (const { node, offence } of this.state.takeOffences()) {
        isQuiet = false
        add(out, this.members.step(now, { kind: 'misbehaved', node, offence }))
      }
      for (const node of [...this.members.takeMissed(), ...this.tasks.takeOverdue()]) {
        isQuiet = false
        add(out, this.state.compareWith(now, node))
      }
      if (this.state.hasExchanged && !this.#wasExchanged) {
        isQuiet = false
        this.#wasExchanged = true
        add(out, this.tasks.exchanged(now))
      }
      if (isQuiet) break
    }
    this.#proceedToLeave(now, out)
  }

  /** First the tasks: nobody places any here from now on, and what runs is handed over. */
  #leave(now: Millis, request: number, out: Effect[]): void {
    this.#leavers.push(request)
    if (this.#leaving.phase !== 'no') return
    this.#leaving = { phase: 'handing', untilAt: now + this.#config.leaveMs }
    add(out, this.members.step(now, { kind: 'drain', on: true, request: NOBODY }))
    add(out, this.tasks.step(now, { kind: 'leave', request: NOBODY }))
  }

  #proceedToLeave(now: Millis, out: Effect[]): void {
    if (this.#leaving.phase === 'handing' && (this.tasks.holding === 0 || now >= this.#leaving.untilAt)) {
      this.#leaving = { phase: 'passing', untilAt: now + this.#config.passMs }
    }
    // Whoever hangs up at once makes everybody busy with that just when its heirs have to begin.
    if (this.#leaving.phase === 'passing' && (this.tasks.unanswered === 0 || now >= this.#leaving.untilAt)) {
      add(out, this.members.leave(now))
      this.#leaving = { phase: 'goodbye', untilAt: now + this.#config.goodbyeMs }
    }
    if (this.#leaving.phase === 'goodbye' && now >= this.#leaving.untilAt) this.#leaving = { phase: 'gone' }
    if (this.#leaving.phase !== 'gone') return
    for (const request of this.#leavers.splice(0)) out.push({ kind: 'reply', request, value: null })
  }
}

/** Parts answer each other within a step; more rounds than this would be a quarrel. */
const ROUNDS_MAX = 8
/** The number of a request that nobody waits for. */
const NOBODY = 0

const add = (out: Effect[], effects: readonly Effect[]): void => {
  for (const effect of effects) out.push(effect)
}
