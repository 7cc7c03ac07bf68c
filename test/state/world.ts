// A mesh of state cores on virtual time: disks that lose what was not flushed,
// links that are cut, gossip that is lost, doubled and late. Everything is drawn
// from one seed, so that a run can be told again.

import * as Y from 'yjs'
import { type Millis, type NodeId, nodeId } from '../../src/core/ids.js'
import type { Json } from '../../src/core/json.js'
import type { Member, MemberRecord, MembersView, Verdict } from '../../src/core/member.js'
import type { Message } from '../../src/core/message.js'
import { createRng, type Rng } from '../../src/core/rng.js'
import { resolveStateConfig, type StateConfig } from '../../src/core/state/config.js'
import { unseal } from '../../src/core/state/log.js'
import type { Offence } from '../../src/core/state/offences.js'
import { createStateCore, type StateCore } from '../../src/core/state/state-core.js'
import type { CoreEvent, Effect, StateChange, StoreWrite } from '../../src/core/step.js'
import { Documents } from '../../src/runtime/documents.js'

export interface WorldOptions {
  readonly seed: number
  readonly nodes: number
  readonly config?: Partial<StateConfig>
  /** Chance that a broadcast does not reach a subscriber, and that it comes twice. */
  readonly loss?: number
  readonly duplication?: number
  readonly latencyMs?: readonly [number, number]
  readonly commitMs?: readonly [number, number]
  /** Patterns of each node; everything unless given. */
  readonly spaces?: (index: number) => readonly string[]
  /** Who is linked; everybody to everybody unless given. */
  readonly linked?: (a: number, b: number) => boolean
}

interface Batch {
  readonly writes: readonly StoreWrite[]
  readonly flush: boolean
  readonly token: number | null
}

export class Disk {
  readonly durable = new Map<string, Uint8Array>()
  pending: Batch[] = []
  bytesWritten = 0
  flushes = 0

  /** A copy of all that is durable now. */
  backup(): ReadonlyMap<string, Uint8Array> {
    return new Map(this.durable)
  }

  /** Only what was copied is durable; nothing else is touched. */
  restore(backup: ReadonlyMap<string, Uint8Array>): void {
    this.durable.clear()
    for (const [key, value] of backup) this.durable.set(key, value)
  }

  commit(count: number): Batch[] {
    const done = this.pending.splice(0, count)
    for (const { writes, flush } of done) {
      if (flush) this.flushes++
      for (const { key, value } of writes) {
        this.bytesWritten += key.length + (value?.length ?? 0)
        if (value === null) this.durable.delete(key)
        else this.durable.set(key, value)
      }
    }
    return done
  }

  entries(): { key: string; value: Uint8Array }[] {
    return [...this.durable].map(([key, value]) => ({ key, value })).sort((a, b) => (a.key < b.key ? -1 : 1))
  }
}

export class TestNode {
  readonly id: NodeId
  readonly index: number
  disk = new Disk()
  core!: StateCore
  up = false
  boot = 0
  tokens = 0
  topics = new Set<string>()
  wallOffset = 0
  bytesSent = 0
  readonly sentByKind = new Map<string, number>()
  readonly counts = new Map<string, number>()
  readonly logs: string[] = []
  readonly notified: { space: string; keys: readonly string[] }[] = []
  readonly offences: Offence[] = []
  /** The application's copies of raw documents, */
  readonly documents = new Map<string, Y.Doc>()
  /** and what keeps them. */
  copies!: Documents
  patterns: readonly string[]

  constructor(index: number, patterns: readonly string[]) {
    this.index = index
    this.id = nodeId(`node-${String(index).padStart(2, '0')}`)
    this.patterns = patterns
  }
}

export interface Wire {
  readonly name: string
  readonly bytesPerSecond: number
}

interface Happening {
  readonly at: Millis
  readonly order: number
  readonly run: () => void
}

export class World {
  readonly rng: Rng
  readonly nodes: TestNode[] = []
  readonly options: WorldOptions
  readonly config: StateConfig
  now: Millis = 1_700_000_000_000
  readonly verdicts = new Map<NodeId, Verdict>()
  readonly replies = new Map<number, { ok: boolean; code?: string; message?: string }>()
  #queue: Happening[] = []
  #order = 0
  #requests = 0
  #revision = 1
  #cuts = new Set<string>()
  #links = new Map<string, number>()
  #linkEpoch = 0
  #lanes = new Map<string, Millis>()
  readonly #wakes = new Map<TestNode, Millis>()
  /** Sees every effect; for tests that look at what leaves a node. */
  onEffect: ((node: TestNode, effect: Effect) => void) | null = null
  /** What becomes of a message on its way; null: it is lost. For nodes that lie, stall, or are older. */
  onTheWay: ((from: TestNode, to: TestNode, message: Message) => Message | null) | null = null
  /** What carries a message, where that takes time: several links may lead over one. */
  wireOf: ((from: TestNode, to: TestNode) => Wire | null) | null = null
  readonly #wires = new Map<string, Millis>()
  /** Runs each turn: a step and what follows from it; for whoever measures them. */
  around: ((event: CoreEvent, turn: () => void) => void) | null = null

  constructor(options: WorldOptions) {
    this.options = options
    this.rng = createRng(options.seed)
    this.config = resolveStateConfig(options.config)
    for (let i = 0; i < options.nodes; i++) this.nodes.push(new TestNode(i, options.spaces?.(i) ?? ['*']))
    for (const node of this.nodes) this.verdicts.set(node.id, 'alive')
    for (const node of this.nodes) this.start(node)
  }

  node(index: number): TestNode {
    return this.nodes[index] as TestNode
  }

  start(node: TestNode): void {
    node.up = true
    node.boot++
    node.topics = new Set()
    node.documents.clear()
    node.copies = this.#copiesOf(node)
    node.core = createStateCore({
      self: node.id,
      members: this.#view(node),
      config: this.config,
      rng: createRng(this.rng.u32()),
      nextToken: () => ++node.tokens,
      awaits: node.boot > 1 && this.nodes.length > 1,
      entries: node.disk.entries(),
    })
    this.step(node, { kind: 'wall', offsetMs: node.wallOffset })
    this.step(node, { kind: 'started' })
    for (const other of this.nodes) if (other !== node && other.up) this.#connect(node, other)
  }

  /** The process is gone; of what was not yet flushed a random part survives. */
  crash(node: TestNode, keep = this.rng.below(node.disk.pending.length + 1)): void {
    node.up = false
    node.disk.commit(keep)
    node.disk.pending = []
    for (const other of this.nodes) this.#disconnect(node, other)
  }

  setVerdict(node: TestNode, verdict: Verdict): void {
    this.verdicts.set(node.id, verdict)
    this.#revision++
    for (const each of this.nodes) if (each.up) this.perform(each, each.core.membersChanged(this.now))
  }

  /** Cuts the mesh in two: those for which `side` is true, and the others. */
  partition(side: (node: TestNode) => boolean): void {
    for (const a of this.nodes) {
      for (const b of this.nodes) {
        if (a.index >= b.index || side(a) === side(b)) continue
        this.#cuts.add(pair(a, b))
        this.#disconnect(a, b)
      }
    }
  }

  isLinked(a: TestNode, b: TestNode): boolean {
    return this.#links.has(pair(a, b))
  }

  heal(): void {
    this.#cuts.clear()
    for (const a of this.nodes)
      for (const b of this.nodes) if (a.index < b.index && a.up && b.up) this.#connect(a, b)
  }

  write(node: TestNode, space: string, changes: readonly StateChange[]): number {
    const request = ++this.#requests
    this.step(node, { kind: 'stateWrite', space, changes, request })
    return request
  }

  set(node: TestNode, space: string, key: string, value: Json): number {
    return this.write(node, space, [{ key, value }])
  }

  delete(node: TestNode, space: string, key: string): number {
    return this.write(node, space, [{ key, value: undefined }])
  }

  nextRequest(): number {
    return ++this.#requests
  }

  isAcknowledged(request: number): boolean {
    return this.replies.get(request)?.ok === true
  }

  step(node: TestNode, event: CoreEvent): void {
    const turn = (): void => this.perform(node, node.core.step(this.now, event))
    if (this.around === null) turn()
    else this.around(event, turn)
  }

  later(delayMs: Millis, run: () => void): void {
    this.#push(this.now + delayMs, run)
  }

  /** Runs until nothing is left to do before the time is over. */
  advance(byMs: Millis): void {
    const end = this.now + byMs
    for (;;) {
      const next = this.#queue[0]
      if (next === undefined || next.at > end) break
      this.#pop()
      this.now = Math.max(this.now, next.at)
      next.run()
    }
    this.now = end
  }

  contents(node: TestNode, space: string): Record<string, Json> {
    return Object.fromEntries(node.core.entries(space))
  }

  /** The document as the node's store has it, written or not: read with nothing but Yjs. */
  stored(node: TestNode, document: string): Y.Doc {
    const disk = new Disk()
    for (const [key, value] of node.disk.durable) disk.durable.set(key, value)
    disk.pending = [...node.disk.pending]
    disk.commit(disk.pending.length)
    const doc = new Y.Doc({ guid: document })
    const head = unseal(disk.durable.get(`s/${document}/h`) ?? new Uint8Array(0))
    const { snapshot } = head === null ? { snapshot: 0 } : JSON.parse(new TextDecoder().decode(head))
    // The snapshot before the log, and its parts in order: Yjs would hold back what comes too early.
    const parts = `s/${document}/p/${snapshot}/`
    const placeOf = (key: string): number =>
      key.startsWith(parts) ? Number(key.slice(parts.length)) : Infinity
    const updates = disk
      .entries()
      .filter(({ key }) => key.startsWith(`s/${document}/l/`) || key.startsWith(parts))
      .sort((a, b) => (placeOf(a.key) === placeOf(b.key) ? 0 : placeOf(a.key) - placeOf(b.key)))
      .map(({ value }) => value)
    doc.transact(() => {
      for (const update of updates) Y.applyUpdate(doc, unseal(update) ?? new Uint8Array([0, 0]))
    })
    return doc
  }

  /** Kills a node, puts an old copy of its disk in place, and starts it where it meets nobody. */
  startAloneFrom(node: TestNode, backup: ReturnType<Disk['backup']>): void {
    this.crash(node, 0)
    node.disk.restore(backup)
    this.partition(other => other === node)
    this.start(node)
  }

  /**
   * Starts a node that meets nobody, for long enough to speak all the same, and then lets it meet
   * all, writing before and after. Returns how many keys it wrote.
   */
  writeAloneAndMet(node: TestNode, space: string): number {
    const [alone, met] = [6, 5]
    this.partition(other => other === node)
    this.start(node)
    for (let i = 0; i < alone; i++) this.set(node, space, `alone-${i}`, i)
    this.advance(10_000)
    this.heal()
    for (let i = 0; i < met; i++) {
      this.set(node, space, `met-${i}`, i)
      this.advance(this.rng.below(4))
    }
    this.advance(60_000)
    return alone + met
  }

  perform(node: TestNode, effects: readonly Effect[]): void {
    const { boot } = node
    for (const effect of effects) {
      this.onEffect?.(node, effect)
      switch (effect.kind) {
        case 'persist':
          node.disk.pending.push(effect)
          if (effect.flush || this.rng.below(4) === 0) this.#commitLater(node)
          break
        case 'send':
          this.#send(node, this.#nodeOf(effect.to), effect.message)
          break
        case 'publish':
          this.#publish(node, effect.topic, effect.message)
          break
        case 'subscribe':
          node.topics.add(effect.topic)
          break
        case 'reply':
          this.replies.set(effect.request, { ok: true })
          break
        case 'refuse':
          this.replies.set(effect.request, { ok: false, code: effect.code, message: effect.message })
          break
        case 'count': {
          const name =
            effect.labels?.reason === undefined ? effect.metric : `${effect.metric}:${effect.labels.reason}`
          node.counts.set(name, (node.counts.get(name) ?? 0) + effect.by)
          break
        }
        case 'log':
          node.logs.push(`${effect.level} ${effect.text}`)
          break
        case 'notify':
          if (effect.event.kind === 'state.changed')
            node.notified.push({ space: effect.event.space, keys: effect.event.keys })
          break
        case 'documentChanged':
          node.copies.changed(effect)
          break
        case 'documentEnded':
          node.copies.ended(effect.name)
          break
        default:
      }
    }
    node.offences.push(...node.core.takeOffences())
    if (node.up && node.boot === boot) this.#wake(node)
  }

  /** The application opens a raw document, whose copy has all of it when this returns. */
  open(node: TestNode, name: string): Y.Doc {
    const doc = this.openSlowly(node, name)
    for (let pieces = 0; !doc.isLoaded && pieces < 100_000; pieces++)
      this.step(node, { kind: 'documentFill', name })
    return doc
  }

  /** The same, as the runtime does it: a large one is filled piece by piece from the next turn on. */
  openSlowly(node: TestNode, name: string): Y.Doc {
    const doc = node.copies.open(name)
    node.documents.set(name, doc)
    return doc
  }

  #copiesOf(node: TestNode): Documents {
    const { boot } = node
    const isUp = (): boolean => node.up && node.boot === boot
    const ask = (event: CoreEvent): boolean => {
      if (isUp()) this.step(node, event)
      return isUp()
    }
    let looks = 0
    return new Documents({
      ask,
      make: event => {
        ask(event(this.nextRequest()))
        return new Promise(() => {})
      },
      refuse: () => null,
      onHurried: document => void node.logs.push(`warn ${document} was filled in at once`),
      onRefused: () => {},
      // Each piece takes long enough for its turn to end.
      now: () => 1_000 * looks++,
      nextTurn: callback => this.#push(this.now + 1, callback),
    })
  }

  #wake(node: TestNode): void {
    const at = node.core.nextDeadlineAt
    const known = this.#wakes.get(node)
    if (at === null || (known !== undefined && known <= at && known > this.now)) return
    this.#wakes.set(node, at)
    const { boot } = node
    this.#push(Math.max(at, this.now), () => {
      if (this.#wakes.get(node) === at) this.#wakes.delete(node)
      if (node.up && node.boot === boot) this.step(node, { kind: 'timer' })
    })
  }

  #commitLater(node: TestNode): void {
    const [least, most] = this.options.commitMs ?? [1, 20]
    const count = node.disk.pending.length
    const { boot } = node
    const last = node.disk.pending[count - 1]
    this.#push(this.now + least + this.rng.below(most - least + 1), () => {
      if (!node.up || node.boot !== boot || last === undefined) return
      // The log is ordered: this batch and all before it.
      const upTo = node.disk.pending.indexOf(last)
      for (const { token } of node.disk.commit(upTo + 1))
        if (token !== null && node.up) this.step(node, { kind: 'durable', token })
    })
  }

  #latency(): Millis {
    const [least, most] = this.options.latencyMs ?? [1, 20]
    return least + this.rng.below(most - least + 1)
  }

  #send(from: TestNode, to: TestNode | undefined, message: Message): void {
    const bytes = sizeOf(message)
    from.bytesSent += bytes
    from.sentByKind.set(message.kind, (from.sentByKind.get(message.kind) ?? 0) + bytes)
    if (to === undefined) return
    const epoch = this.#links.get(pair(from, to))
    if (epoch === undefined) return
    const arriving = this.onTheWay === null ? message : this.onTheWay(from, to, message)
    if (arriving === null) return
    // A stream is ordered, and broken with its link.
    const lane = `${from.id}>${to.id}`
    const at = Math.max(
      this.#carried(from, to, bytes) + this.#latency(),
      (this.#lanes.get(lane) ?? 0) + 0.001,
    )
    this.#lanes.set(lane, at)
    this.#push(at, () => {
      if (this.#links.get(pair(from, to)) !== epoch || !to.up) return
      this.step(to, { kind: 'message', from: from.id, channel: 'bulk', message: arriving, bytes })
    })
  }

  /** When the last byte of a message has left: one after another, as they were sent. */
  #carried(from: TestNode, to: TestNode, bytes: number): Millis {
    const wire = this.wireOf?.(from, to) ?? null
    if (wire === null) return this.now
    const { name, bytesPerSecond } = wire
    const leftAt = Math.max(this.now, this.#wires.get(name) ?? 0) + (1_000 * bytes) / bytesPerSecond
    this.#wires.set(name, leftAt)
    return leftAt
  }

  #publish(from: TestNode, topic: string, message: Message): void {
    const bytes = sizeOf(message)
    from.bytesSent += bytes
    from.sentByKind.set(message.kind, (from.sentByKind.get(message.kind) ?? 0) + bytes)
    for (const to of this.nodes) {
      if (to === from || !to.up || !to.topics.has(topic) || this.#cuts.has(pair(from, to))) continue
      if (!this.#reaches(from, to, topic)) continue
      if (this.rng.fraction() < (this.options.loss ?? 0)) continue
      const copies = this.rng.fraction() < (this.options.duplication ?? 0) ? 2 : 1
      for (let i = 0; i < copies; i++) {
        this.#push(this.now + this.#latency(), () => {
          if (to.up && !this.#cuts.has(pair(from, to)))
            this.step(to, { kind: 'gossip', from: from.id, topic, message, bytes })
        })
      }
    }
  }

  /** Gossip travels along links between subscribers of the topic only. */
  #reaches(from: TestNode, to: TestNode, topic: string): boolean {
    if (this.options.linked === undefined) return true
    const seen = new Set([from])
    const frontier = [from]
    for (let at = frontier.pop(); at !== undefined; at = frontier.pop()) {
      if (at === to) return true
      for (const next of this.nodes) {
        if (seen.has(next) || !next.up || !next.topics.has(topic) || !this.#links.has(pair(at, next)))
          continue
        seen.add(next)
        frontier.push(next)
      }
    }
    return false
  }

  #connect(a: TestNode, b: TestNode): void {
    const wanted = (from: TestNode, to: TestNode): boolean => from.core.wantedNeighbors().includes(to.id)
    const isLinked = this.options.linked?.(a.index, b.index) ?? true
    if (!isLinked && !wanted(a, b) && !wanted(b, a)) return
    if (this.#links.has(pair(a, b)) || this.#cuts.has(pair(a, b)) || !a.up || !b.up) return
    this.#links.set(pair(a, b), ++this.#linkEpoch)
    for (const [at, other] of [
      [a, b],
      [b, a],
    ] as const)
      this.step(at, { kind: 'linkUp', node: other.id, address: '', outbound: at === a })
  }

  /** Dials what the cores want, as the runtime would. */
  dialWanted(): void {
    for (const a of this.nodes) for (const b of this.nodes) if (a !== b && a.up && b.up) this.#connect(a, b)
  }

  #disconnect(a: TestNode, b: TestNode): void {
    if (!this.#links.delete(pair(a, b))) return
    if (a.up) this.step(a, { kind: 'linkDown', node: b.id, reset: true })
    if (b.up) this.step(b, { kind: 'linkDown', node: a.id, reset: true })
  }

  #nodeOf(id: NodeId): TestNode | undefined {
    return this.nodes.find(node => node.id === id)
  }

  #view(node: TestNode): MembersView {
    const world = this
    const member = (other: TestNode): Member => ({
      id: other.id,
      record: { id: other.id, name: other.id, spaces: other.patterns } as unknown as MemberRecord,
      verdict: world.verdicts.get(other.id) ?? 'alive',
      cause: null,
      since: 0,
    })
    return {
      self: node.id,
      get: id => {
        const other = world.#nodeOf(id)
        return other === undefined ? undefined : member(other)
      },
      all: () => world.nodes.map(member),
      get revision() {
        return world.#revision
      },
      neighbors: () => world.nodes.filter(other => world.#links.has(pair(node, other))).map(({ id }) => id),
      isLinked: id => world.nodes.some(other => other.id === id && world.#links.has(pair(node, other))),
      observersOf: () => [],
      rttMs: () => null,
      lastHeardAt: null,
    }
  }

  #push(at: Millis, run: () => void): void {
    const entry = { at, order: this.#order++, run }
    const queue = this.#queue
    let i = queue.push(entry) - 1
    while (i > 0) {
      const up = (i - 1) >> 1
      const parent = queue[up] as Happening
      if (!isBefore(entry, parent)) break
      queue[i] = parent
      i = up
    }
    queue[i] = entry
  }

  #pop(): void {
    const queue = this.#queue
    const last = queue.pop() as Happening
    if (queue.length === 0) return
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= queue.length) break
      const right = queue[child + 1]
      if (right !== undefined && isBefore(right, queue[child] as Happening)) child++
      if (!isBefore(queue[child] as Happening, last)) break
      queue[i] = queue[child] as Happening
      i = child
    }
    queue[i] = last
  }
}

const isBefore = (a: Happening, b: Happening): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

const pair = (a: TestNode, b: TestNode): string =>
  a.index < b.index ? `${a.index}|${b.index}` : `${b.index}|${a.index}`

/** About what a message takes on the wire. */
export const sizeOf = (message: Message): number => {
  let bytes = 2
  for (const value of Object.values(message) as unknown[]) {
    if (typeof value === 'string') bytes += value.length + 2
    else if (value instanceof Uint8Array) bytes += value.length + 3
    else if (Array.isArray(value)) for (const item of value) bytes += String(item).length + 2
    else bytes += 3
  }
  return bytes
}
