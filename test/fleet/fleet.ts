// A fleet of real nodes, each a process, on loopback: starts them, asks them, kills
// them by their own ids, and keeps what they say with the time at which they said it.
// Every wait has a limit.

import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface FleetEvent {
  readonly at: number
  readonly by: string
  readonly kind: string
  readonly [field: string]: unknown
}

export const nowMs = (): number => performance.timeOrigin + performance.now()

export class FleetNode {
  readonly index: number
  readonly process: ChildProcess
  readonly events: FleetEvent[] = []
  id = ''
  addrs: string[] = []
  readyAt = 0
  #last = 0
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  readonly ready: Promise<void>

  constructor(index: number, options: object, args: readonly string[] = []) {
    this.index = index
    this.process = fork(new URL('./node.js', import.meta.url), [JSON.stringify(options), ...args], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.ready = new Promise((resolve, reject) => {
      this.process.once('exit', code =>
        reject(new Error(`node ${index} ended with ${code} before it was ready`)),
      )
      this.process.on('message', (message: Record<string, unknown>) => {
        if (message.kind === 'ready') {
          this.id = message.id as string
          this.addrs = message.addrs as string[]
          this.readyAt = message.at as number
          resolve()
        } else if (message.kind === 'event') {
          const event = message.event as { kind: string }
          this.events.push({
            ...event,
            concludedAt: (event as { at?: number }).at,
            at: message.at as number,
            by: this.id,
          })
        } else if (message.kind === 'done') {
          this.#waiting.get(message.of as number)?.resolve('value' in message ? message.value : message.at)
        } else if (message.kind === 'failed') {
          this.#waiting.get(message.of as number)?.reject(new Error(message.error as string))
        }
      })
    })
  }

  get isUp(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null
  }

  ask(message: object): Promise<unknown> {
    const of = ++this.#last
    return new Promise((resolve, reject) => {
      this.#waiting.set(of, { resolve, reject })
      this.process.send({ ...message, of })
    })
  }

  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void {
    if (this.isUp && this.process.pid !== undefined) this.process.kill(signal)
  }
}

export class Fleet {
  readonly nodes: FleetNode[] = []
  readonly #dir = mkdtempSync(join(tmpdir(), 'shoal-fleet-'))
  readonly #options: object

  constructor(options: object = {}) {
    this.#options = options
  }

  dataDir(index: number): string {
    return join(this.#dir, `node-${index}`)
  }

  /** Starts nodes one batch after another; resolves when all see all. */
  async start(count: number, batch = 4): Promise<this> {
    for (let from = this.nodes.length; this.nodes.length < count; ) {
      const size = from === 0 ? 1 : Math.min(batch, count - from)
      const started = Array.from({ length: size }, (_, i) => this.launch(from + i))
      await Promise.all(started.map(node => node.ready))
      from += size
    }
    await this.agree(60_000)
    return this
  }

  /** Starts one node, again if it ran before. */
  launch(index: number, extra: object = {}): FleetNode {
    const seed = this.nodes.find(node => node.index !== index && node.isUp && node.addrs.length > 0)
    const node = new FleetNode(index, {
      name: `node-${index}`,
      dataDir: this.dataDir(index),
      listen: ['/ip4/127.0.0.1/tcp/0'],
      mdns: false,
      ...(seed === undefined ? {} : { join: [seed.addrs[0]] }),
      ...this.#options,
      ...extra,
    })
    const at = this.nodes.findIndex(other => other.index === index)
    if (at < 0) this.nodes.push(node)
    else this.nodes[at] = node
    return node
  }

  get up(): FleetNode[] {
    return this.nodes.filter(node => node.isUp)
  }

  /** Waits until every running node holds exactly the running ones alive. */
  async agree(limitMs: number): Promise<void> {
    const up = this.up
    const expected = up
      .map(node => node.id)
      .sort()
      .join()
    await until(limitMs, 'all nodes agree on who is here', async () => {
      for (const node of up) {
        const members = (await node.ask({ kind: 'members' })) as { id: string; verdict: string }[]
        const alive = members
          .filter(member => member.verdict === 'alive')
          .map(member => member.id)
          .sort()
        if (alive.join() !== expected) return false
      }
      return true
    })
  }

  /** Ends every process that this fleet started and removes what it kept. */
  async stop(): Promise<void> {
    const ends = this.nodes
      .filter(node => node.isUp)
      .map(node => new Promise(resolve => node.process.once('exit', resolve)))
    for (const node of this.nodes) {
      node.signal('SIGCONT')
      node.signal('SIGKILL')
    }
    await Promise.all(ends)
    rmSync(this.#dir, { recursive: true, force: true })
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

export const median = (values: readonly number[]): number => quantile(values, 0.5)

export const quantile = (values: readonly number[], q: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN
}
