// What the mesh makes of the demo's faults: listens to the events of every node that
// runs and measures, for each fault, when every survivor knew and when every task of
// the lost node ran again. A task is covered while a node that works says that it runs it.

import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '../cli/client.js'
import { messages } from '../cli/follow.js'
import type { CopyView } from '../core/tasks/views.js'
import type { JournalEvent } from '../runtime/journal.js'
import type { MemberInfo } from '../runtime/member-info.js'
import type { DemoNode, Fleet } from './fleet.js'

export type FaultKind = 'kill' | 'freeze' | 'cut'

export interface Fault {
  readonly kind: FaultKind
  readonly node: DemoNode
  readonly id: string
  readonly at: number
  /** The tasks that it ran alone. */
  readonly orphans: readonly string[]
  readonly survivors: readonly DemoNode[]
  /** When each survivor held it dead, in ms after the fault. */
  readonly known: Map<DemoNode, number>
  /** When each orphan ran again, and where. */
  readonly retaken: Map<string, { readonly ms: number; readonly node: string }>
}

export interface DemoTask {
  readonly id: string
  readonly copies: readonly CopyView[]
}

const RETRY_MS = 100
const POLL_MS = 400
/** A snapshot is believed over the events when nothing was done to the mesh for this long. */
const QUIET_MS = 1_500
const EVENTS_KEPT = 50

/** One scale for all processes of this machine; the wall clock may be set while the demo runs. */
export const demoNow = (): number => performance.timeOrigin + performance.now()

export class Watch {
  readonly #fleet: Fleet
  readonly #running = new Map<string, Set<string>>()
  readonly #gaps = new Map<string, number>()
  readonly #listeners = new Set<() => void>()
  readonly #told = new Set<string>()
  #closed = false
  members: readonly MemberInfo[] = []
  tasks: readonly DemoTask[] = []
  readonly faults: Fault[] = []
  readonly events: JournalEvent[] = []
  longestGapMs = 0

  constructor(fleet: Fleet) {
    this.#fleet = fleet
    for (const node of fleet.nodes) void this.#listen(node)
    void this.#poll()
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener)
  }

  /** Resolves true as soon as it holds, false after the bound. */
  async until(holds: () => boolean, boundMs: number): Promise<boolean> {
    const end = performance.now() + boundMs
    while (!holds()) {
      const left = end - performance.now()
      if (left <= 0 || this.#closed) return false
      await new Promise<void>(resolve => {
        const done = (): void => {
          clearTimeout(timer)
          this.#listeners.delete(done)
          resolve()
        }
        const timer = setTimeout(done, Math.min(left, POLL_MS))
        this.#listeners.add(done)
      })
    }
    return true
  }

  close(): void {
    this.#closed = true
  }

  /** Tells what was just done to a node. */
  noteFault(kind: FaultKind, node: DemoNode, at: number): Fault {
    const orphans: string[] = []
    for (const [task, nodes] of this.#running) {
      if (!nodes.delete(node.id) || nodes.size > 0) continue
      orphans.push(task)
      this.#gaps.set(task, at)
    }
    const survivors = this.#fleet.nodes.filter(other => other !== node && other.fate === 'up')
    const known = new Map<DemoNode, number>()
    const fault: Fault = { kind, node, id: node.id, at, orphans, survivors, known, retaken: new Map() }
    this.faults.push(fault)
    this.#changed()
    return fault
  }

  runningOn(node: DemoNode): string[] {
    return [...this.#running].flatMap(([task, nodes]) => (nodes.has(node.id) ? [task] : []))
  }

  /** The nodes that run a task, by id. */
  runnersOf(task: string): readonly string[] {
    return [...(this.#running.get(task) ?? [])]
  }

  uncovered(): string[] {
    return this.tasks.flatMap(({ id }) => ((this.#running.get(id)?.size ?? 0) === 0 ? [id] : []))
  }

  /** Whether every survivor that still works knows, and every orphan runs again. */
  isOver(fault: Fault): boolean {
    const isKnown = fault.survivors.every(node => node.fate !== 'up' || fault.known.has(node))
    return isKnown && fault.orphans.every(task => fault.retaken.has(task))
  }

  async #listen(node: DemoNode): Promise<void> {
    while (!this.#closed) {
      try {
        if (node.fate === 'up' && node.api !== '') {
          const stream = await this.#client(node).stream('/v1/events?since=0', null)
          for await (const { data } of messages(stream)) this.#hear(node, JSON.parse(data) as JournalEvent)
        }
      } catch {
        // It was killed, or is not there yet: it is tried again.
      }
      await sleep(RETRY_MS)
    }
  }

  #hear(from: DemoNode, event: JournalEvent): void {
    if (from.fate !== 'up') return
    if (event.kind === 'member.dead') {
      for (const fault of this.faults) {
        const isOurs = fault.id === event.member && event.at >= fault.at && fault.survivors.includes(from)
        if (isOurs && !fault.known.has(from)) fault.known.set(from, event.at - fault.at)
      }
    }
    // What a node says of its own copies counts; the others repeat it a moment later.
    if ('task' in event && event.node === from.id) {
      if (event.kind === 'task.started') this.#started(event.task, from, event.at)
      if (event.kind === 'task.stopped' || event.kind === 'task.failed')
        this.#stopped(event.task, from, event.at)
    }
    this.#remember(event)
    this.#changed()
  }

  #started(task: string, node: DemoNode, at: number): void {
    const nodes = this.#running.get(task) ?? new Set()
    this.#running.set(task, nodes.add(node.id))
    const from = this.#gaps.get(task)
    // A node that comes back tells again of starts before the fault.
    if (from === undefined || at < from) return
    this.#gaps.delete(task)
    this.longestGapMs = Math.max(this.longestGapMs, at - from)
    for (const fault of this.faults) {
      if (!fault.orphans.includes(task) || fault.retaken.has(task) || fault.at > at) continue
      fault.retaken.set(task, { ms: at - fault.at, node: node.name })
    }
  }

  #stopped(task: string, node: DemoNode, at: number): void {
    const nodes = this.#running.get(task)
    if (nodes?.delete(node.id) && nodes.size === 0 && !this.#gaps.has(task)) this.#gaps.set(task, at)
  }

  /** Every node tells of the same things; people want to read each once. */
  #remember(event: JournalEvent): void {
    if (event.kind === 'state.changed') return
    const { seq: _, at: __, ...what } = event
    const key = `${JSON.stringify(what)} ${Math.floor(event.at / 5_000)}`
    if (this.#told.has(key)) return
    this.#told.add(key)
    if (this.#told.size > 2_000) this.#told.clear()
    this.events.push(event)
    if (this.events.length > EVENTS_KEPT) this.events.shift()
  }

  async #poll(): Promise<void> {
    while (!this.#closed) {
      const node = this.#fleet.nodes.find(each => each.fate === 'up' && each.api !== '')
      if (node !== undefined) {
        try {
          const client = this.#client(node)
          const [members, tasks] = await Promise.all([
            client.get<MemberInfo[]>('/v1/members'),
            client.get<DemoTask[]>('/v1/tasks'),
          ])
          if (node.fate === 'up') {
            this.members = members.body
            this.tasks = tasks.body
            this.#reconcile()
            this.#changed()
          }
        } catch {
          // Killed while it was asked: the next one answers.
        }
      }
      await sleep(POLL_MS)
    }
  }

  /** An event can be missed while a node is away; when all is quiet, what the mesh says of its tasks counts. */
  #reconcile(): void {
    const quietFrom = demoNow() - QUIET_MS
    if (this.faults.some(fault => fault.at > quietFrom)) return
    const working = new Map(
      this.#fleet.nodes.filter(({ fate }) => fate === 'up').map(node => [node.id, node]),
    )
    for (const { id, copies } of this.tasks) {
      const running = copies.filter(copy => copy.phase === 'running' && working.has(copy.node ?? ''))
      if (running.some(copy => copy.since > quietFrom)) continue
      for (const copy of running) {
        const node = working.get(copy.node ?? '')
        if (node === undefined) continue
        const gapFrom = this.#gaps.get(id)
        this.#started(id, node, Math.max(copy.since, gapFrom ?? 0))
      }
      const known = new Set(running.map(copy => copy.node as string))
      for (const node of this.#running.get(id) ?? []) {
        if (running.length > 0 && !known.has(node)) this.#running.get(id)?.delete(node)
      }
    }
  }

  #client(node: DemoNode) {
    return createClient({ api: node.api, token: this.#fleet.token })
  }

  #changed(): void {
    for (const listener of this.#listeners) listener()
  }
}
