// A fleet of real nodes, each a process: starts them on loopback or on the hosts of a
// make-believe network, asks them, kills them through their own handles, and keeps
// what they say with the time at which they said it. Every wait has a limit. Whatever
// ends this process, nothing that it started goes on.

import { type ChildProcess, fork, type StdioOptions } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { newMeshKey } from '../../src/adapters/identity/mesh-key.js'
import type { Host, Network } from '../machine/namespaces.js'
import { bundledNode } from './bundled.js'

/** What a node concluded; `at` is when it told, `concludedAt` when it came to it. */
export interface FleetEvent {
  readonly at: number
  readonly by: string
  readonly kind: string
  readonly concludedAt: number
  readonly [field: string]: unknown
}

/** A run of a handler began or ended. */
export interface FleetRun {
  readonly at: number
  readonly by: string
  readonly task: string
  readonly epoch: string
  readonly what: 'began' | 'ended'
}

/** A write that was acknowledged to its writer. */
export interface FleetWrite {
  readonly at: number
  readonly key: string
  readonly value: unknown
}

export interface FleetUsage {
  readonly rss: number
  readonly cpu: { readonly user: number; readonly system: number }
  /** Of nodes that were made with `inside`. */
  readonly traffic?: {
    readonly bytesSent: number
    readonly dials: number
    readonly refusedKeys: number
    readonly dropped: number
  }
  readonly counters?: readonly { readonly metric: string; readonly value: number }[]
}

export const nowMs = (): number => performance.timeOrigin + performance.now()

/** Events come in batches: after so long without one a node has probably concluded all that it will. */
const QUIET_MS = 400
const ASK_LIMIT_MS = 60_000
const NODE_FILE = fileURLToPath(new URL('./node.js', import.meta.url))

export class FleetNode {
  readonly index: number
  readonly process: ChildProcess
  readonly startedAt = nowMs()
  readonly events: FleetEvent[] = []
  readonly runs: FleetRun[] = []
  readonly acked: FleetWrite[] = []
  id = ''
  addrs: readonly string[] = []
  readyAt = 0
  /** Why it stopped by itself, if it did. */
  stoppedBecause: string | null = null
  readonly ready: Promise<void>
  readonly ended: Promise<void>
  #last = 0
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()

  constructor(index: number, child: ChildProcess) {
    this.index = index
    this.process = child
    this.ended = new Promise(resolve => {
      child.once('error', () => resolve())
      child.once('exit', () => resolve())
    })
    this.ready = new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code, signal) => {
        const error = new Error(`node ${index} ended with ${code ?? signal}`)
        reject(error)
        for (const { reject } of this.#waiting.values()) reject(error)
        this.#waiting.clear()
      })
      child.on('message', message => {
        const told = message as { kind: string; at: number; [field: string]: unknown }
        if (told.kind === 'ready') {
          this.id = told.id as string
          this.addrs = told.addrs as string[]
          this.readyAt = told.at
          resolve()
        } else this.#hear(told)
      })
    })
    // A node that is killed before it is ready is no surprise to whoever killed it.
    this.ready.catch(() => undefined)
  }

  #hear(told: { kind: string; at: number; [field: string]: unknown }): void {
    const { kind, at } = told
    if (kind === 'many') for (const each of told.messages as (typeof told)[]) this.#hear(each)
    else if (kind === 'event') {
      const event = told.event as { kind: string; at: number }
      this.events.push({ ...event, concludedAt: event.at, at, by: this.id })
    } else if (kind === 'run') this.runs.push({ ...(told as unknown as FleetRun), by: this.id })
    else if (kind === 'acked') this.acked.push(told as unknown as FleetWrite)
    else if (kind === 'stopped') this.stoppedBecause = told.reason as string | null
    else if (kind === 'done' || kind === 'failed') {
      const waiting = this.#waiting.get(told.of as number)
      this.#waiting.delete(told.of as number)
      if (kind === 'done') waiting?.resolve(told.value)
      else waiting?.reject(new Error(told.error as string))
    }
  }

  get isUp(): boolean {
    return (
      this.process.exitCode === null && this.process.signalCode === null && this.process.pid !== undefined
    )
  }

  async ask<T = unknown>(
    order: { readonly kind: string; readonly [field: string]: unknown },
    limitMs = ASK_LIMIT_MS,
  ): Promise<T> {
    const of = ++this.#last
    let timer: NodeJS.Timeout | undefined
    try {
      return (await new Promise((resolve, reject) => {
        if (!this.isUp) reject(new Error(`node ${this.index} is not up and was asked for ${order.kind}`))
        this.#waiting.set(of, { resolve, reject })
        timer = setTimeout(
          () => reject(new Error(`node ${this.index} did not answer ${order.kind} in ${limitMs} ms`)),
          limitMs,
        )
        this.process.send({ ...order, of }, error => {
          if (error !== null) reject(error)
        })
      })) as T
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(of)
    }
  }

  usage(): Promise<FleetUsage> {
    return this.ask<FleetUsage>({ kind: 'usage' })
  }

  /** Through the handle, which knows whether the process is still its own. */
  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void {
    if (this.isUp) this.process.kill(signal)
  }

  /** Kills it; resolves with the time of the signal when the process is gone. */
  async kill(): Promise<number> {
    const at = nowMs()
    this.signal('SIGKILL')
    await this.ended
    return at
  }

  /** When it first told of a member what `kind` says, from a time on. */
  heard(kind: string, member: string, from: number): FleetEvent | undefined {
    for (let i = this.events.length - 1, found: FleetEvent | undefined; ; i--) {
      const event = this.events[i]
      if (event === undefined || event.at < from) return found
      if (event.kind === kind && event.member === member) found = event
    }
  }
}

export interface FleetOptions {
  /** Options of every node. */
  readonly node?: object
  /** Reads the counts that no user sees, see node.ts. */
  readonly inside?: boolean
  /** Each node on a host of this network, node 0 on the first; needs a mesh key, which is made. */
  readonly network?: Network
  /** A node that starts again listens where it listened before. */
  readonly keepPorts?: boolean
  /** Each node is one file, as Shoal is shipped: see bundled.ts. */
  readonly bundled?: boolean
}

const NETWORK_PORT = 4701
const fleets = new Set<Fleet>()
const endAll = (): void => {
  for (const fleet of fleets) fleet.endNow()
}
process.on('exit', endAll)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))

export class Fleet {
  readonly nodes: FleetNode[] = []
  readonly #all = new Set<FleetNode>()
  readonly #dir = mkdtempSync(join(tmpdir(), 'shoal-fleet-'))
  readonly #options: FleetOptions
  readonly #listens = new Map<number, string>()
  #file = NODE_FILE

  constructor(options: FleetOptions = {}) {
    this.#options = options
    fleets.add(this)
    if (options.network !== undefined) this.meshKey('mesh')
  }

  dataDir(index: number): string {
    return join(this.#dir, `node-${index}`)
  }

  /** The file of a mesh key, made when it is first asked for. */
  meshKey(name: string): string {
    const file = join(this.#dir, `${name}.key`)
    if (!this.#keys.has(name)) writeFileSync(file, newMeshKey(), { mode: 0o600 })
    this.#keys.add(name)
    return file
  }
  readonly #keys = new Set<string>()

  /** Makes what nodes run, for who launches them one by one; `start` does it by itself. */
  async prepare(): Promise<this> {
    if (this.#options.bundled) this.#file = await bundledNode()
    return this
  }

  /** Starts nodes until there are so many, a batch after the other; resolves when all see all. */
  async start(count: number, batch = 4, extra: (index: number) => object = () => ({})): Promise<this> {
    await this.prepare()
    for (let from = this.nodes.length; from < count; ) {
      const size = from === 0 ? 1 : Math.min(batch, count - from)
      await Promise.all(Array.from({ length: size }, (_, i) => this.launch(from + i, extra(from + i)).ready))
      from += size
    }
    await this.agree(120_000)
    return this
  }

  /** Starts one node, again if it ran before. */
  launch(index: number, extra: object = {}): FleetNode {
    const { network, node: shared, inside = false, keepPorts = false } = this.#options
    const host = network?.hosts[index]
    if (network !== undefined && host === undefined) throw new Error(`there is no host for node ${index}`)
    const seed = this.nodes.find(node => node.index !== index && node.isUp && node.addrs.length > 0)
    const listen = host
      ? `/ip4/${host.address}/tcp/${NETWORK_PORT}`
      : ((keepPorts ? this.#listens.get(index) : undefined) ?? '/ip4/127.0.0.1/tcp/0')
    const options = {
      name: `node-${index}`,
      dataDir: this.dataDir(index),
      listen: [listen],
      mdns: false,
      inside,
      ...(seed === undefined ? {} : { join: [seed.addrs[0]] }),
      ...(host === undefined ? {} : { meshKey: this.meshKey('mesh') }),
      ...shared,
      ...extra,
    }
    const node = new FleetNode(index, this.#spawn(JSON.stringify(options), host))
    node.ready.then(
      () => {
        const [address] = node.addrs
        if (address !== undefined) this.#listens.set(index, address.replace(/\/p2p\/.*$/, ''))
      },
      () => undefined,
    )
    this.#all.add(node)
    const at = this.nodes.findIndex(other => other.index === index)
    if (at < 0) this.nodes.push(node)
    else this.nodes[at] = node
    return node
  }

  #spawn(options: string, host: Host | undefined): ChildProcess {
    const stdio: StdioOptions = ['ignore', 'ignore', 'inherit', 'ipc']
    const { network } = this.#options
    if (network === undefined || host === undefined) return fork(this.#file, [options], { stdio })
    return network.spawn(host, [process.execPath, this.#file, options], { stdio })
  }

  get up(): FleetNode[] {
    return this.nodes.filter(node => node.isUp)
  }

  node(index: number): FleetNode {
    const node = this.nodes.find(each => each.index === index)
    if (node === undefined) throw new Error(`node ${index} was never started`)
    return node
  }

  byId(id: unknown): FleetNode | undefined {
    return this.nodes.find(node => node.id === id)
  }

  /**
   * Waits until each of these holds exactly these alive, and returns when the last of them came to that.
   * They tell of their events with their times, and are asked only when they have been quiet since: fifty
   * nodes that were asked twenty times a second had little time for anything else.
   */
  async agree(limitMs: number, among: readonly FleetNode[] = this.up): Promise<number> {
    const ids = among.map(node => node.id).sort()
    const expected = createHash('sha256').update(JSON.stringify(ids)).digest('hex')
    const beganAt = nowMs()
    const lastAt = (node: FleetNode): number => node.events.at(-1)?.at ?? 0
    const answers = new Map<FleetNode, { readonly events: number; readonly agrees: boolean }>()
    await until(
      limitMs,
      `${among.length} nodes agree on who is here`,
      async () => {
        const changed = among.filter(node => answers.get(node)?.events !== node.events.length)
        for (const node of changed) {
          if (nowMs() - lastAt(node) < QUIET_MS) continue
          const events = node.events.length
          const { digest } = await node.ask<{ digest: string }>({ kind: 'view' })
          answers.set(node, { events, agrees: digest === expected })
        }
        return among.every(node => {
          const answer = answers.get(node)
          return answer?.agrees === true && answer.events === node.events.length
        })
      },
      50,
    )
    return Math.max(beganAt, ...among.map(lastAt))
  }

  /** Waits until every node counts every node as settled, which is when tasks may be placed anywhere. */
  async settle(limitMs: number): Promise<void> {
    const { up } = this
    await until(
      limitMs,
      'all nodes are settled',
      async () => {
        const views = await Promise.all(up.map(node => node.ask<{ settled: number }>({ kind: 'view' })))
        return views.every(view => view.settled === up.length)
      },
      200,
    )
  }

  /** Everything that the handlers of all nodes told, those that ended included, by time. */
  runs(): FleetRun[] {
    return [...this.#all].flatMap(node => node.runs).sort((a, b) => a.at - b.at)
  }

  /** Which running nodes run each task, by what its handlers told: no node's opinion. */
  runners(): Map<string, FleetNode[]> {
    const runners = new Map<string, FleetNode[]>()
    for (const node of this.#all) {
      if (!node.isUp) continue
      const open = new Map<string, number>()
      for (const { task, what } of node.runs)
        open.set(task, (open.get(task) ?? 0) + (what === 'began' ? 1 : -1))
      for (const [task, count] of open) {
        for (let i = 0; i < count; i++) runners.set(task, [...(runners.get(task) ?? []), node])
      }
    }
    return runners
  }

  /** Ends every process that this fleet started and removes what it kept. */
  async stop(): Promise<void> {
    this.endNow()
    await Promise.all([...this.#all].map(node => (node.process.pid === undefined ? undefined : node.ended)))
    fleets.delete(this)
    rmSync(this.#dir, { recursive: true, force: true, maxRetries: 3 })
  }

  /** The part of it that needs no waiting. */
  endNow(): void {
    for (const node of this.#all) node.signal('SIGKILL')
  }
}

export const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

/** Polls until it is so, or throws with what was waited for. */
export const until = async (
  limitMs: number,
  what: string,
  isSo: () => boolean | Promise<boolean>,
  everyMs = 20,
): Promise<void> => {
  const end = nowMs() + limitMs
  while (nowMs() < end) {
    if (await isSo()) return
    await sleep(everyMs)
  }
  throw new Error(`not within ${limitMs} ms: ${what}`)
}

export const quantile = (values: readonly number[], q: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const low = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN
  return (low + (sorted[Math.floor(sorted.length / 2)] ?? Number.NaN)) / 2
}
