// A small world for task engines: virtual time, an executor, disks that lose what
// was not durable, shared state that converges late (a write survives until somebody
// who saw it replaces or removes it), partitions, and a view of the members that
// follows the faults with a delay. It checks safety at every start of a copy.

import { DeadlineQueue } from '../../src/core/deadline-queue.js'
import { type NodeId, nodeId, type TaskId, taskId } from '../../src/core/ids.js'
import type { Json } from '../../src/core/json.js'
import type { Member, MembersView, Verdict } from '../../src/core/member.js'
import type { TaskEvent } from '../../src/core/mesh-event.js'
import { createRng, type Rng } from '../../src/core/rng.js'
import { defaultStateConfig } from '../../src/core/state/config.js'
import type { StateAccess } from '../../src/core/state/view.js'
import type { CopyId, CoreEvent, Effect } from '../../src/core/step.js'
import { createTaskEngine, type TaskEngine } from '../../src/core/tasks/engine.js'
import { ENGINE_DEFAULTS, type EngineConfig } from '../../src/core/tasks/engine-config.js'
import type { TaskSpec } from '../../src/core/tasks/spec.js'
import { Bits, createSharedReader, Log, type Op, Replica } from './world-state.js'

/** After a heal the nodes need a moment to learn of each other. */
const SETTLE_MS = 5_000
/** Exchanges of a node with those that it meets at once. */
const EXCHANGES = 20
/** How long a node does not look at what came, where it gathers. */
const TURN_MS = 40
const LINK_MS = 250
const WALL = 1_790_000_000_000

interface RunningCopy {
  readonly copy: CopyId
  readonly spec: TaskSpec
  stopping: boolean
}

export interface Start {
  readonly at: number
  readonly node: NodeId
  readonly copy: CopyId
  readonly period: number | null
  readonly checkpoint: Json
}

interface Outbox {
  ops: Op[]
  publishedAt: number
  publishAt: number | null
}

class Node {
  engine!: TaskEngine
  replica!: Replica
  durableOps = new Bits()
  readonly outboxes = new Map<string, Outbox>()
  /** What came and was not yet looked at, and whether its loop is to turn. */
  inbox: Op[] = []
  judged: { readonly subject: NodeId; readonly verdict: Verdict }[] = []
  isDue = false
  /** Writes of others that are not yet durable here. */
  received = new Bits()
  readonly durableClaims = new Set<string>()
  store = new Map<string, Uint8Array>()
  /** What it holds of the others, and of itself. */
  readonly members = new Map<NodeId, Member>()
  group = 0
  generation = 0
  up = false
  frozen = false
  held: (() => readonly Effect[])[] = []
  life = 0
  wakeAt: number | null = null
  copies = new Map<string, RunningCopy>()
  replies = new Map<number, Json | { refused: string }>()
  events: TaskEvent[] = []
  record!: Member['record']
  diskAt = 0
  readonly id: NodeId
  readonly index: number
  constructor(id: NodeId, index: number) {
    this.id = id
    this.index = index
  }
}

export interface WorldOptions {
  readonly seed: number
  readonly nodes: number
  readonly config?: Partial<EngineConfig>
  /** Nobody is linked to anybody, and what is sent to one node alone is lost. */
  readonly strangers?: boolean
  /** Nobody asks for the events of the nodes, of which a large world has too many to keep. */
  readonly silent?: boolean
  /** A node gathers what it writes, as the state layer does for Shoal's own spaces, and takes in at once what came within a turn of its loop; without it each write leaves by itself, at once. */
  readonly gathers?: boolean
  /** Spaces whose writes travel for so long besides. */
  readonly lateSpaces?: Readonly<Record<string, number>>
  /** Within how long any two nodes meet again, once they can talk: long where processors are few. */
  readonly meetMs?: number
}

/** What was said of claims, and the connections that were wanted for tasks alone. */
export interface Told {
  /** Claims written, by phase and cause, those taken away as `removed`. */
  readonly events: Map<string, number>
  /** Messages to all in which they left. */
  broadcasts: number
  /** Ways that were opened to nodes that are no neighbors. */
  ways: number
}

export interface World {
  readonly ids: readonly NodeId[]
  readonly now: number
  readonly rng: Rng
  readonly starts: readonly Start[]
  readonly violations: readonly string[]
  readonly told: Told
  /** How a handler behaves: milliseconds until it returns and with which error, or null for ever. */
  behave: (spec: TaskSpec, node: NodeId) => { afterMs: number; error: string | null } | null
  /** How long a copy takes to stop, at most. */
  stopMs: number
  advance(ms: number): void
  put(node: NodeId, spec: TaskSpec): number
  ask(node: NodeId, event: CoreEvent): void
  /** Writes into shared state past the engine, as a member that means no good may. */
  forge(node: NodeId, space: string, key: string, value: Json): void
  kill(node: NodeId, detectMs?: number): void
  restart(node: NodeId, settledAfterMs?: number): void
  /** Everybody forgets a member that is gone, as if it had never been. */
  forget(node: NodeId): void
  /** SIGSTOP for so long; on waking, timers run before anything is read. */
  freeze(node: NodeId, ms: number): void
  partition(groups: readonly (readonly NodeId[])[]): void
  heal(): void
  change(node: NodeId, fields: Partial<Member['record']>): void
  engine(node: NodeId): TaskEngine
  events(node: NodeId): readonly TaskEvent[]
  reply(node: NodeId, request: number): Json | { refused: string } | undefined
  running(task: string, slot?: number): NodeId[]
  isUp(node: NodeId): boolean
  state(node: NodeId, space: string): Record<string, Json>
  request(): number
}

export const task = (id: string, fields: Partial<TaskSpec> = {}): TaskSpec => ({
  id: taskId(id),
  run: { handler: 'work' },
  when: 'always',
  input: null,
  replicas: 1,
  needs: {},
  spread: null,
  weight: 1,
  stopGrace: '1s',
  overlap: false,
  onPartition: 'run',
  ...fields,
})

export const createWorld = ({
  seed,
  nodes: count,
  config = {},
  strangers = false,
  silent = false,
  gathers = false,
  lateSpaces = {},
  meetMs = 200,
}: WorldOptions): World => {
  const rng = createRng(seed)
  const digits = String(count - 1).length
  const ids = Array.from({ length: count }, (_, i) =>
    nodeId(`n${String(i).padStart(Math.max(2, digits), '0')}`),
  )
  const nodes = new Map(ids.map((id, index) => [id, new Node(id, index)]))
  const at = (id: NodeId): Node => nodes.get(id) as Node
  const all = [...nodes.values()]
  /** Moments at which something happens, and what, in the order in which it was set. */
  const moments = new DeadlineQueue<number>()
  const agenda = new Map<number, (() => void)[]>()
  const starts: Start[] = []
  const startsOfPeriod = new Map<string, Start[]>()
  const log = new Log()
  const reader = createSharedReader()
  const violations: string[] = []
  const seen = new Set<string>()
  const told: Told = { events: new Map(), broadcasts: 0, ways: 0 }
  let now = 1_000
  let token = 0
  let request = 0
  /** Since when every node could talk to every other, or infinity while they cannot. */
  let wholeSince = 0

  const later = (ms: number, run: () => void): void => {
    const dueAt = now + ms
    const due = agenda.get(dueAt)
    if (due !== undefined) due.push(run)
    else {
      agenda.set(dueAt, [run])
      moments.set(dueAt, dueAt)
    }
  }
  /** Happens only if the node is still in the same life. */
  const laterAt = (node: Node, ms: number, run: () => void): void => {
    const { life } = node
    later(ms, () => {
      if (node.up && node.life === life) run()
    })
  }
  const canTalk = (a: Node, b: Node): boolean => a.up && b.up && a.group === b.group
  const reachable = (a: NodeId, b: NodeId): boolean => canTalk(at(a), at(b))

  /** A frozen node hears everything when it wakes. */
  const act = (node: Node, work: () => readonly Effect[]): void => {
    if (!node.up) return
    if (node.frozen) node.held.push(work)
    else perform(node, work())
  }
  const feed = (node: Node, event: CoreEvent): void => act(node, () => node.engine.step(now, event))

  const perform = (node: Node, effects: readonly Effect[]): void => {
    for (const effect of effects) one(node, effect)
    const wake = node.engine.nextDeadlineAt
    if (wake !== null && wake !== node.wakeAt) {
      node.wakeAt = wake
      laterAt(node, Math.max(0, wake - now), () => {
        if (node.wakeAt !== wake) return
        node.wakeAt = null
        feed(node, { kind: 'timer' })
      })
    }
  }

  const one = (node: Node, effect: Effect): void => {
    switch (effect.kind) {
      case 'persist': {
        const { writes, token: told } = effect
        const { ops = [], lazyMs = 0 } = effect as { ops?: readonly Op[]; lazyMs?: number }
        // One log: what is written later is durable later.
        node.diskAt = Math.max(node.diskAt, now + 1 + rng.below(8))
        laterAt(node, node.diskAt - now, () => {
          for (const { key, value } of writes)
            if (value === null) node.store.delete(key)
            else node.store.set(key, value)
          if (ops.length > 0) {
            // What came before from others is in the log before it.
            node.durableOps.merge(node.received)
            node.received.clear()
            for (const op of ops) {
              node.durableOps.add(op.index)
              const { task: name, slot, epoch } = (op.value ?? {}) as Record<string, Json>
              if (op.space === 'shoal.claims') node.durableClaims.add(`${name}/${slot}/${epoch}`)
            }
            if (gathers) gather(node, ops, lazyMs)
            else broadcast(node, ops)
          }
          if (told !== null) feed(node, { kind: 'durable', token: told })
        })
        return
      }
      case 'send': {
        const { to, channel, message } = effect
        if (message.kind === 'handoverAhead') told.ways++
        if (strangers || !reachable(node.id, to)) return
        later(1 + rng.below(10), () => {
          if (reachable(node.id, to))
            feed(at(to), { kind: 'message', from: node.id, channel, message, bytes: 0 })
        })
        return
      }
      case 'notify':
        if (!silent) node.events.push(effect.event as TaskEvent)
        return
      case 'reply':
        node.replies.set(effect.request, effect.value)
        return
      case 'refuse':
        node.replies.set(effect.request, { refused: effect.code })
        return
      case 'startCopy': {
        const { copy, spec, period, checkpoint } = effect
        const start: Start = { at: now, node: node.id, copy, period, checkpoint }
        starts.push(start)
        const name = `${copy.task}/${copy.slot}/${copy.epoch}/${period}`
        if (seen.has(name)) violations.push(`${now}: ${name} was started twice`)
        seen.add(name)
        if (!copy.epoch.endsWith(`-${node.id}`)) violations.push(`${name}: another node's epoch`)
        if (!node.durableClaims.has(`${copy.task}/${copy.slot}/${copy.epoch}`))
          violations.push(`${now}: ${name} started before its claim was durable`)
        const key = `${copy.task}/${copy.slot}`
        if (node.copies.has(key)) violations.push(`${now}: ${name} started beside another on its node`)
        const rivals = startsOfPeriod.get(`${key}/${period}`) ?? []
        startsOfPeriod.set(`${key}/${period}`, [...rivals, start])
        if (period !== null && now - wholeSince > SETTLE_MS)
          for (const other of rivals)
            if (
              other.at - wholeSince > SETTLE_MS &&
              // A task that was removed and came back counts its periods from the start.
              now - other.at < 2_500 &&
              (other.node !== node.id || other.copy.epoch !== copy.epoch)
            )
              violations.push(`${now}: period ${period} of ${key} ran on ${other.node} and on ${node.id}`)
        const running: RunningCopy = { copy, spec, stopping: false }
        node.copies.set(key, running)
        laterAt(node, 1 + rng.below(5), () => {
          feed(node, { kind: 'copyStarted', copy })
          const way = world.behave(spec, node.id)
          if (way !== null) laterAt(node, way.afterMs, () => end(node, running, way.error))
        })
        return
      }
      case 'stopCopy': {
        const running = node.copies.get(`${effect.copy.task}/${effect.copy.slot}`)
        if (running === undefined || running.copy.epoch !== effect.copy.epoch) return
        running.stopping = true
        laterAt(node, 1 + rng.below(world.stopMs), () => end(node, running, null))
      }
    }
  }

  const end = (node: Node, running: RunningCopy, error: string | null): void => {
    const key = `${running.copy.task}/${running.copy.slot}`
    if (node.copies.get(key) !== running) return
    node.copies.delete(key)
    feed(node, { kind: 'copyExited', copy: running.copy, error, result: error === null ? 'done' : null })
  }

  const noteClaim = (value: Json | undefined): void => {
    const { phase, cause } = (value ?? {}) as Record<string, Json>
    const what = value === undefined ? 'removed' : `${phase} ${cause}`
    told.events.set(what, (told.events.get(what) ?? 0) + 1)
  }

  const stateOf = (node: Node): StateAccess => ({
    get: (space, key) => node.replica.get(space, key),
    entries: space =>
      node.replica.keys(space).map(key => [key, node.replica.get(space, key) as Json] as const),
    write: (_now, space, changes, told, lazyMs = 0) => {
      const ops = changes.map(({ key, value }): Op => {
        if (space === 'shoal.claims') noteClaim(value)
        return log.add(node.id, space, key, value, node.replica.indexesOf(space, key))
      })
      for (const op of ops) node.replica.apply(op)
      // The operations ride on the effect, so that they become durable with it.
      return [{ kind: 'persist', writes: [], flush: true, token: told, ops, lazyMs } as unknown as Effect]
    },
  })

  /** The loop of a node turns every so often, each node's at moments of its own. */
  const turn = (node: Node): void => {
    if (node.isDue) return
    node.isDue = true
    const { index } = node
    laterAt(node, TURN_MS - ((Math.floor(now) + index) % TURN_MS), () => {
      node.isDue = false
      const { inbox, judged } = node
      node.inbox = []
      node.judged = []
      for (const { subject, verdict } of judged) hold(node, subject, verdict)
      if (judged.length > 0)
        act(node, () => node.engine.membersChanged(now, new Set(judged.map(({ subject }) => subject))))
      takeIn(node, inbox)
    })
  }

  const deliver = (to: Node, ops: readonly Op[]): void => {
    if (!gathers) {
      takeIn(to, ops)
      return
    }
    for (const op of ops) if (!to.replica.seen.has(op.index)) to.inbox.push(op)
    turn(to)
  }

  const takeIn = (to: Node, ops: readonly Op[]): void => {
    const [first] = ops
    if (ops.length === 1 && first !== undefined) {
      if (take(to, first)) act(to, () => to.engine.stateChanged(now, first.space, [first.key]))
      return
    }
    const changed = new Map<string, Set<string>>()
    for (const op of ops) {
      if (!take(to, op)) continue
      const keys = changed.get(op.space)
      if (keys === undefined) changed.set(op.space, new Set([op.key]))
      else keys.add(op.key)
    }
    for (const [space, keys] of changed) act(to, () => to.engine.stateChanged(now, space, [...keys]))
  }

  /** Whether what the node reads changed. */
  const take = (to: Node, op: Op): boolean => {
    if (to.replica.seen.has(op.index)) return false
    to.received.add(op.index)
    return to.replica.apply(op)
  }

  /** The writes by how long they travel besides. */
  const byLateness = (ops: readonly Op[]): Map<number, readonly Op[]> => {
    const groups = new Map<number, readonly Op[]>()
    for (const ms of new Set(ops.map(op => lateSpaces[op.space] ?? 0)))
      groups.set(
        ms,
        ops.filter(op => (lateSpaces[op.space] ?? 0) === ms),
      )
    return groups
  }

  /** By the rule of the state layer: a space at most every so often, and what may wait with what comes next. */
  const gather = (node: Node, ops: readonly Op[], lazyMs: number): void => {
    const space = (ops[0] as Op).space
    let box = node.outboxes.get(space)
    if (box === undefined) {
      box = { ops: [], publishedAt: Number.NEGATIVE_INFINITY, publishAt: null }
      node.outboxes.set(space, box)
    }
    const held = box
    held.ops.push(...ops)
    const publish = (): void => {
      held.publishedAt = now
      held.publishAt = null
      broadcast(node, held.ops)
      held.ops = []
    }
    const dueAt = Math.max(held.publishedAt + defaultStateConfig.ownBroadcastIntervalMs, now + lazyMs)
    if (now >= dueAt) publish()
    else if (held.publishAt === null || dueAt < held.publishAt) {
      held.publishAt = dueAt
      laterAt(node, dueAt - now, () => {
        if (held.publishAt === dueAt) publish()
      })
    }
  }

  /** To everybody; those to whom it comes at the same moment are one entry of the agenda. */
  const broadcast = (from: Node, ops: readonly Op[]): void => {
    if (ops[0]?.space === 'shoal.claims') told.broadcasts++
    const groups = byLateness(ops)
    if (groups.size > 1) {
      for (const to of all) if (to !== from) send(from.id, to.id, ops)
      return
    }
    for (const [ms, due] of groups) {
      const receivers = new Map<number, Node[]>()
      for (const to of all) {
        if (to === from || !canTalk(from, to)) continue
        const after = ms + 1 + rng.below(30)
        const those = receivers.get(after)
        if (those !== undefined) {
          those.push(to)
          continue
        }
        const group = [to]
        receivers.set(after, group)
        later(after, () => {
          for (const receiver of group) if (canTalk(from, receiver)) deliver(receiver, due)
        })
      }
    }
  }

  const send = (from: NodeId, to: NodeId, ops: readonly Op[]): void => {
    if (!reachable(from, to)) return
    for (const [ms, due] of byLateness(ops))
      later(ms + 1 + rng.below(30), () => {
        if (reachable(from, to)) deliver(at(to), due)
      })
  }

  /** Anti-entropy: what is durable at one end reaches the other. */
  const sync = (a: NodeId, b: NodeId): void => {
    if (a === b || !reachable(a, b)) return
    sendMissing(a, b)
    later(5, () => {
      if (reachable(a, b)) sendMissing(b, a)
    })
  }

  const sendMissing = (from: NodeId, to: NodeId): void => {
    const { replica, durableOps } = at(from)
    const missing = replica.seen.without(at(to).replica.seen).map(index => log.ops[index] as Op)
    send(
      from,
      to,
      missing.filter(op => op.node !== from || durableOps.has(op.index)),
    )
  }

  const view = (node: Node): MembersView => ({
    self: node.id,
    get: id => node.members.get(id),
    all: () => ids.map(id => node.members.get(id)).filter(member => member !== undefined),
    revision: 0,
    neighbors: () => ids.filter(id => id !== node.id && reachable(node.id, id)),
    isLinked: id => !strangers && reachable(node.id, id),
    observersOf: () => [],
    rttMs: () => null,
    lastHeardAt: null,
  })

  /** What a node knows of itself. */
  const knowItself = (node: Node): void => {
    const { id, record } = node
    node.members.set(id, { id, record, cause: null, verdict: 'alive', since: 0 })
  }

  const judge = (observer: NodeId, subject: NodeId, verdict: Verdict): void => {
    const node = at(observer)
    if (!node.up || observer === subject) return
    if (gathers) {
      node.judged.push({ subject, verdict })
      turn(node)
      return
    }
    hold(node, subject, verdict)
    act(node, () => node.engine.membersChanged(now, [subject]))
  }

  const hold = (node: Node, subject: NodeId, verdict: Verdict): void => {
    const record = verdict === 'alive' ? at(subject).record : node.members.get(subject)?.record
    if (record !== undefined)
      node.members.set(subject, { id: subject, record, cause: null, verdict, since: now })
  }

  const boot = (node: Node, settled: boolean, awaits: boolean): void => {
    node.up = true
    node.frozen = false
    node.held = []
    node.life += 1
    node.generation += 1
    node.wakeAt = null
    node.copies.clear()
    node.replica = new Replica(log)
    node.received.clear()
    node.outboxes.clear()
    node.inbox = []
    node.judged = []
    node.isDue = false
    for (const index of node.durableOps.without(new Bits())) node.replica.apply(log.ops[index] as Op)
    const previous = node.record
    node.record = {
      ...(previous ?? {
        id: node.id,
        name: node.id,
        refutation: 0,
        left: false,
        addresses: [],
        dialable: true,
        labels: {},
        capacity: null,
        runs: ['handler:work'],
        spaces: ['*'],
        health: 'ok',
        reasons: [],
        version: '0',
        startedAt: 0,
      }),
      draining: false,
      settled,
      generation: { number: node.generation, instance: '0' },
    } as Member['record']
    knowItself(node)
    node.engine = createTaskEngine({
      self: node.id,
      members: view(node),
      state: stateOf(node),
      config: {
        ...ENGINE_DEFAULTS,
        ...config,
        // A link is as good as an exchange here, a moment later.
        bootGate: { ...ENGINE_DEFAULTS.bootGate, linkMs: LINK_MS, ...config.bootGate, awaits },
      },
      rng: rng.fork(node.generation),
      nextToken: () => ++token,
      zoneOffset: () => 0,
      meshTime: time => WALL + time,
      reader,
      entries: [...node.store].map(([key, value]) => ({ key, value })),
    })
    feed(node, { kind: 'started' })
  }

  const announce = (id: NodeId): void => {
    for (const other of ids) {
      if (other === id || !reachable(id, other)) continue
      const { life } = at(id)
      later(5 + rng.below(60), () => {
        if (reachable(id, other) && at(id).life === life) judge(other, id, 'alive')
      })
    }
  }

  const meet = (a: NodeId, b: NodeId): void => {
    later(20 + rng.below(meetMs), () => {
      if (!reachable(a, b)) return
      judge(a, b, 'alive')
      judge(b, a, 'alive')
      // Among many, some exchanges are enough.
      if (count <= EXCHANGES || rng.below(count) < EXCHANGES) sync(a, b)
    })
  }

  const world: World = {
    ids,
    rng,
    starts,
    violations,
    told,
    behave: () => null,
    stopMs: 20,
    get now() {
      return now
    },
    advance: ms => {
      const until = now + ms
      let steps = 0
      for (let dueAt = moments.nextAt; dueAt !== null && dueAt <= until; dueAt = moments.nextAt) {
        now = Math.max(now, dueAt)
        const due = agenda.get(dueAt) as (() => void)[]
        // What is set for this very moment meanwhile comes last.
        for (const run of due) {
          if (++steps > 1_000_000 * Math.max(5, count)) throw new Error('the world does not come to rest')
          run()
        }
        agenda.delete(dueAt)
        moments.delete(dueAt)
      }
      now = until
    },
    put: (id, spec) => {
      const number = ++request
      feed(at(id), { kind: 'taskPut', spec, request: number })
      return number
    },
    request: () => ++request,
    ask: (id, event) => feed(at(id), event),
    forge: (id, space, key, value) =>
      act(at(id), () => stateOf(at(id)).write(now, space, [{ key, value }], null)),
    kill: (id, detectMs = 40) => {
      const node = at(id)
      node.up = false
      node.copies.clear()
      const { life } = node
      for (const other of ids) {
        if (other === id || at(other).group !== at(id).group) continue
        later(detectMs + rng.below(20), () => {
          if (!node.up || node.life !== life) if (!node.up) judge(other, id, 'dead')
        })
      }
    },
    restart: (id, settledAfterMs = 0) => {
      const node = at(id)
      if (node.up) return
      boot(node, settledAfterMs === 0, true)
      announce(id)
      for (const other of ids) if (other !== id) meet(id, other)
      if (settledAfterMs > 0) laterAt(node, settledAfterMs, () => world.change(id, { settled: true }))
    },
    forget: id => {
      for (const other of ids) {
        if (other === id) continue
        const node = at(other)
        act(node, () => {
          node.members.delete(id)
          return node.engine.membersChanged(now, [id])
        })
      }
    },
    freeze: (id, ms) => {
      const node = at(id)
      if (!node.up || node.frozen) return
      node.frozen = true
      const { life } = node
      for (const other of ids)
        later(2_000 + rng.below(500), () => {
          if (node.frozen && node.life === life && reachable(other, id)) judge(other, id, 'dead')
        })
      laterAt(node, ms, () => {
        node.frozen = false
        const { held } = node
        node.held = []
        feed(node, { kind: 'timer' })
        for (const work of held) act(node, work)
        wholeSince = Math.max(wholeSince, now)
        for (const other of ids) if (other !== id) meet(id, other)
      })
    },
    partition: groups => {
      wholeSince = Number.POSITIVE_INFINITY
      groups.forEach((members, index) => {
        for (const id of members) at(id).group = index
      })
      for (const a of ids)
        for (const b of ids) {
          if (a === b || at(a).group === at(b).group) continue
          later(2_000 + rng.below(500), () => {
            if (at(a).group !== at(b).group) judge(a, b, 'dead')
          })
        }
    },
    heal: () => {
      wholeSince = now
      for (const id of ids) at(id).group = 0
      for (const a of ids) for (const b of ids) if (a < b) meet(a, b)
    },
    change: (id, fields) => {
      const node = at(id)
      node.record = { ...node.record, ...fields, refutation: node.record.refutation + 1 }
      knowItself(node)
      act(node, () => node.engine.membersChanged(now, [id]))
      announce(id)
    },
    engine: id => at(id).engine,
    events: id => at(id).events,
    reply: (id, number) => at(id).replies.get(number),
    running: (name, slot) =>
      ids.filter(
        id =>
          at(id).up &&
          [...at(id).copies.values()].some(
            ({ copy }) => copy.task === (name as TaskId) && (slot === undefined || copy.slot === slot),
          ),
      ),
    isUp: id => at(id).up,
    state: (id, space) =>
      Object.fromEntries(
        at(id)
          .replica.keys(space)
          .map(key => [key, at(id).replica.get(space, key) as Json]),
      ),
  }

  // A slow, random exchange, as the state layer has it.
  const gossip = (): void => {
    for (const id of ids) sync(id, rng.pick(ids))
    later(500 + rng.below(500), gossip)
  }
  for (const id of ids) boot(at(id), true, false)
  for (const a of ids) for (const b of ids) if (a !== b) judge(a, b, 'alive')
  later(100, gossip)
  return world
}
