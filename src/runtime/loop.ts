// The heart of a real node: one queue, one event at a time through `step`, effects
// performed in order. It decides when the core runs, what is dropped when more comes
// in than it can do, and when the node has to stop; it knows nothing of what events
// and effects mean.
//
// 1. A step is never entered from within a step. What arrives meanwhile is queued;
//    what the application is told (`later`) it is told after the step, so that its
//    listeners may ask for something again and have it at once.
// 2. Events wait for the next turn of the event loop and are then worked off in the
//    order of their arrival, `turnMs` at a time, so that sockets and timers get theirs;
//    but some events in any case. Where processes outnumber cores the clock runs on while
//    a node waits for one: it would do one event a turn, read a hundred in the same turn,
//    and be minutes behind in the end.
//    The application's own requests (`ask`) do not wait: a set value is readable at once.
// 3. Every step gets the true time. After a freeze the overdue timer comes before what the
//    sockets hold, with a `now` that shows the gap: the core re-arms what it held against
//    others. In a backlog a timer waits its turn, because what arrived before it may be
//    the very sign of life that it would miss.
// 4. A core or an effect that throws leaves the core in a state that nobody can vouch
//    for, so the node stands down; nothing is performed after that.
//
// A full queue drops hints first (gossip, heartbeats, discoveries: repeated or repaired
// anyway), then what peers sent (anti-entropy repairs it), and never what this node itself
// waits for: durable, links, dials, requests, timers and its own copies of tasks.

import type { Millis } from '../core/ids.js'
import type { CoreEvent, Effect, Stepper } from '../core/step.js'
import type { Clock, Log, Store } from '../ports.js'

export interface LoopLimits {
  /** From here on hints are dropped. */
  readonly hintEventsMax: number
  /** From here on whatever peers sent is dropped. */
  readonly peerEventsMax: number
  /** And from here on, counted in bytes of messages. */
  readonly peerBytesMax: number
  /** A turn ends after the event that exceeds this, */
  readonly turnMs: Millis
  /** and so many events, */
  readonly turnEventsMin: number
  /** or so many bytes of messages. */
  readonly turnBytesMin: number
  /** How often at most the wall is looked at, and how far it must have moved to be told. */
  readonly wallCheckMs: Millis
  readonly wallMovedMs: Millis
  /** How long `stop` waits for a disk that does not answer. */
  readonly stopMs: Millis
}

export const LOOP_LIMITS: LoopLimits = {
  hintEventsMax: 5_000,
  peerEventsMax: 10_000,
  peerBytesMax: 32 << 20,
  turnMs: 10,
  turnEventsMin: 64,
  turnBytesMin: 64 << 10,
  wallCheckMs: 1_000,
  wallMovedMs: 100,
  stopMs: 2_000,
}

/** How often at most what became durable may lead to further writes while the loop stops. */
const STOP_ROUNDS_MAX = 8

export interface LoopParts {
  readonly core: Stepper
  readonly clock: Clock
  readonly store: Pick<Store, 'write' | 'close'>
  readonly log: Log
  /** Counts what the loop itself has to tell. */
  readonly count: (metric: string, by: number, labels?: Readonly<Record<string, string>>) => void
  /** The node cannot go on; called once. */
  readonly onStandDown: (reason: string) => void
  readonly limits?: Partial<LoopLimits>
  /** Calls back on the next turn of the event loop; `setImmediate` unless a test brings its own. */
  readonly nextTurn?: (callback: () => void) => void
}

export interface LoopStats {
  readonly steps: number
  readonly queued: number
  readonly droppedHints: number
  readonly droppedMessages: number
}

/** What performing effects needs of the loop. */
export interface LoopHandle {
  post(event: CoreEvent): boolean
  later(callback: () => void): void
  wake(at: Millis): void
  standDown(reason: string): void
}

export class Loop implements LoopHandle {
  readonly #parts: LoopParts
  readonly #limits: LoopLimits
  readonly #nextTurn: (callback: () => void) => void
  #perform: ((effect: Effect) => void) | null = null
  #queue: CoreEvent[] = []
  #head = 0
  #queuedBytes = 0
  readonly #later: (() => void)[] = []
  #state: 'idle' | 'running' | 'stopping' | 'stopped' = 'idle'
  #isStepping = false
  #isTelling = false
  #turnPlanned = false
  #timer: { readonly at: Millis; readonly cancel: () => void } | null = null
  #wakeAt: Millis | null = null
  #isTimerQueued = false
  /** What the core knows of it: it began with a clock that shows what the wall shows. */
  #wallOffsetMs: Millis = 0
  #wallCheckedAt: Millis
  #steps = 0
  #droppedHints = 0
  #droppedMessages = 0
  #isShedding = false
  #stopped: Promise<void> | null = null

  constructor(parts: LoopParts) {
    this.#parts = parts
    this.#limits = { ...LOOP_LIMITS, ...parts.limits }
    this.#nextTurn = parts.nextTurn ?? setImmediate
    this.#wallCheckedAt = parts.clock.now()
  }

  /** Begins: the core hears `started` at once, and then whatever was posted before. */
  run(perform: (effect: Effect) => void): void {
    this.#perform = perform
    this.#state = 'running'
    this.ask({ kind: 'started' })
    this.#planTurn()
  }

  /** Queues an event for the next turn; false when it was dropped. */
  post(event: CoreEvent): boolean {
    if (this.#state === 'stopped' || (this.#state === 'stopping' && event.kind !== 'durable')) return false
    const rank = rankOf(event)
    if (rank !== 'own' && this.#isFullFor(rank)) {
      this.#drop(rank)
      return false
    }
    this.#queue.push(event)
    this.#queuedBytes += bytesOf(event)
    this.#planTurn()
    return true
  }

  /** Steps at once, before what is queued: for the application alone. Within a step it waits for its end. */
  ask(event: CoreEvent): boolean {
    if (this.#isStepping) return this.post(event)
    if (this.#state !== 'running') return false
    this.#step(event)
    this.#tell()
    this.#arm()
    return true
  }

  /** Calls back when the step is over. */
  later(callback: () => void): void {
    this.#later.push(callback)
  }

  /** Sees to it that a timer event comes at this time at the latest. */
  wake(at: Millis): void {
    if (this.#wakeAt === null || at < this.#wakeAt) this.#wakeAt = at
  }

  /** Ends everything at once: no step and no effect after this. */
  standDown(reason: string): void {
    if (this.#state === 'stopped') return
    this.#halt()
    this.#parts.log.error('standing down', { reason })
    this.#parts.onStandDown(reason)
  }

  /** Works off what is queued, waits until it is durable, closes the store; no effect after that. */
  stop(): Promise<void> {
    this.#stopped ??= this.#windDown()
    return this.#stopped
  }

  stats(): LoopStats {
    return {
      steps: this.#steps,
      queued: this.#queue.length - this.#head,
      droppedHints: this.#droppedHints,
      droppedMessages: this.#droppedMessages,
    }
  }

  async #windDown(): Promise<void> {
    // A step that asked for this ends first.
    await null
    if (this.#state === 'running') {
      this.#state = 'stopping'
      this.#disarm()
      this.#work(Number.POSITIVE_INFINITY)
      // Whoever waits for a write hears of it before the end, and what follows from that is done too.
      for (let round = 0; round < STOP_ROUNDS_MAX && (await this.#flushed()); round++) {
        if (this.#head === this.#queue.length) break
        this.#work(Number.POSITIVE_INFINITY)
      }
      this.#halt()
    }
    await this.#parts.store.close()
  }

  /** Whether everything that was persisted became durable in time. */
  async #flushed(): Promise<boolean> {
    const { store, clock, log } = this.#parts
    const lateAt = clock.now() + this.#limits.stopMs
    return new Promise(resolve => {
      const cancel = clock.setTimer(lateAt, () => {
        log.warn('the disk does not answer; the last writes may be lost')
        resolve(false)
      })
      // The promises of earlier writes resolve before this one: their events are queued by then.
      store.write([], true).then(
        () => {
          cancel()
          resolve(true)
        },
        error => {
          cancel()
          log.warn('the last writes are lost', { error: String(error) })
          resolve(false)
        },
      )
    })
  }

  #planTurn(): void {
    if (this.#turnPlanned || this.#state !== 'running' || this.#head === this.#queue.length) return
    this.#turnPlanned = true
    this.#nextTurn(() => {
      this.#turnPlanned = false
      if (this.#state !== 'running') return
      this.#work(this.#parts.clock.now() + this.#limits.turnMs)
      this.#arm()
      this.#planTurn()
    })
  }

  /** Steps through the queue until it is empty or the time has come. */
  #work(until: Millis): void {
    const { turnEventsMin, turnBytesMin } = this.#limits
    let events = 0
    let bytes = 0
    while (this.#head < this.#queue.length && this.#state !== 'stopped') {
      const event = this.#queue[this.#head++] as CoreEvent
      const size = bytesOf(event)
      events++
      bytes += size
      this.#queuedBytes -= size
      if (this.#head > 1_000 && this.#head * 2 > this.#queue.length) {
        this.#queue = this.#queue.slice(this.#head)
        this.#head = 0
      }
      this.#step(event)
      this.#tell()
      const isFairShare = events >= turnEventsMin || bytes >= turnBytesMin
      if (isFairShare && this.#parts.clock.now() >= until) break
    }
    if (this.#head === this.#queue.length) this.#settle()
  }

  #settle(): void {
    this.#queue = []
    this.#head = 0
    if (!this.#isShedding) return
    this.#isShedding = false
    const { droppedHints, droppedMessages } = this.stats()
    this.#parts.log.info('the queue is empty again', { droppedHints, droppedMessages })
  }

  #step(event: CoreEvent): void {
    const { core, clock } = this.#parts
    const now = clock.now()
    this.#isStepping = true
    if (event.kind === 'timer') this.#isTimerQueued = false
    try {
      for (const effect of core.step(now, event)) {
        if (this.#state === 'stopped') return
        this.#perform?.(effect)
      }
    } catch (error) {
      this.#parts.log.error('a step failed', { event: event.kind, error: stackOf(error) })
      this.standDown(`a step failed at '${event.kind}': ${error instanceof Error ? error.message : error}`)
    } finally {
      this.#isStepping = false
    }
    this.#steps++
    this.#checkWall(now)
  }

  /** Tells the application what the step had for it. Its listeners are not ours: one that throws is reported. */
  #tell(): void {
    if (this.#isTelling) return
    this.#isTelling = true
    for (let callback = this.#later.shift(); callback !== undefined; callback = this.#later.shift()) {
      try {
        callback()
      } catch (error) {
        this.#parts.count('listener_errors', 1)
        this.#parts.log.error('a listener of the application threw', { error: stackOf(error) })
      }
    }
    this.#isTelling = false
  }

  #checkWall(now: Millis): void {
    if (now - this.#wallCheckedAt < this.#limits.wallCheckMs) return
    this.#wallCheckedAt = now
    const offsetMs = this.#parts.clock.wall() - now
    if (Math.abs(offsetMs - this.#wallOffsetMs) <= this.#limits.wallMovedMs) return
    this.#wallOffsetMs = offsetMs
    this.post({ kind: 'wall', offsetMs })
  }

  #arm(): void {
    if (this.#state !== 'running' || this.#isTimerQueued) return
    const at = earliest(this.#parts.core.nextDeadlineAt, this.#wakeAt)
    if (at === (this.#timer?.at ?? null)) return
    this.#disarm()
    if (at === null) return
    const cancel = this.#parts.clock.setTimer(at, () => {
      this.#timer = null
      if (this.#wakeAt !== null && this.#wakeAt <= this.#parts.clock.now()) this.#wakeAt = null
      this.#isTimerQueued = true
      this.post({ kind: 'timer' })
    })
    this.#timer = { at, cancel }
  }

  #disarm(): void {
    this.#timer?.cancel()
    this.#timer = null
  }

  #halt(): void {
    this.#state = 'stopped'
    this.#disarm()
    this.#queue = []
    this.#head = 0
    this.#queuedBytes = 0
  }

  #isFullFor(rank: 'hint' | 'peer'): boolean {
    const length = this.#queue.length - this.#head
    const { hintEventsMax, peerEventsMax, peerBytesMax } = this.#limits
    return length >= (rank === 'hint' ? hintEventsMax : peerEventsMax) || this.#queuedBytes >= peerBytesMax
  }

  #drop(rank: 'hint' | 'peer'): void {
    if (rank === 'hint') this.#droppedHints++
    else this.#droppedMessages++
    this.#parts.count('queue_dropped', 1, { what: rank })
    if (this.#isShedding) return
    this.#isShedding = true
    this.#parts.log.warn('more comes in than this node can do; hints are dropped first', {
      queued: this.#queue.length - this.#head,
    })
  }
}

const rankOf = (event: CoreEvent): 'own' | 'hint' | 'peer' => {
  switch (event.kind) {
    case 'gossip':
    case 'discovered':
      return 'hint'
    case 'message':
      return event.message.kind === 'heartbeat' ? 'hint' : 'peer'
    case 'misbehaved':
      return 'peer'
    default:
      return 'own'
  }
}

const bytesOf = (event: CoreEvent): number =>
  event.kind === 'message' || event.kind === 'gossip' ? event.bytes : 0

const earliest = (a: Millis | null, b: Millis | null): Millis | null =>
  a === null ? b : b === null ? a : Math.min(a, b)

const stackOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error)
