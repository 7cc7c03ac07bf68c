// Serf agents on loopback, for comparison: what they conclude is read from their logs.

import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { requireTool } from '../machine/namespaces.js'
import { nowMs, until } from './fleet.js'

interface Agent {
  readonly process: ChildProcess
  readonly ended: Promise<void>
  /** Lines of its log that tell of members, each with when it came. */
  readonly told: { readonly at: number; readonly kind: string; readonly member: string }[]
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })

export class SerfFleet {
  readonly #agents: (Agent | undefined)[] = []
  readonly #ports: { bind: number; rpc: number }[] = []
  readonly #all: Agent[] = []
  readonly #onExit = (): void => {
    for (const agent of this.#all) this.#kill(agent)
  }

  constructor() {
    process.on('exit', this.#onExit)
  }

  static isInstalled(): boolean {
    try {
      requireTool('serf')
      return true
    } catch {
      return false
    }
  }

  async start(count: number, limitMs: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      this.#ports.push({ bind: await freePort(), rpc: await freePort() })
      this.#launch(i)
    }
    await this.#allSee('EventMemberJoin', limitMs)
  }

  #launch(index: number): Agent {
    const ports = this.#ports[index] as { bind: number; rpc: number }
    const first = this.#ports[index === 0 ? 1 : 0]?.bind ?? 0
    const child = spawn(
      'serf',
      [
        'agent',
        `-node=s${index}`,
        `-bind=127.0.0.1:${ports.bind}`,
        `-rpc-addr=127.0.0.1:${ports.rpc}`,
        '-profile=lan',
        ...(first === 0 ? [] : [`-retry-join=127.0.0.1:${first}`, '-retry-interval=1s']),
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    )
    const ended = new Promise<void>(resolve => {
      child.once('error', () => resolve())
      child.once('exit', () => resolve())
    })
    const agent: Agent = { process: child, ended, told: [] }
    let rest = ''
    child.stdout.setEncoding('utf8').on('data', chunk => {
      const at = nowMs()
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const found = /serf: (EventMember\w+): (\S+)/.exec(line)
        if (found !== null) agent.told.push({ at, kind: found[1] as string, member: found[2] as string })
      }
    })
    this.#agents[index] = agent
    this.#all.push(agent)
    return agent
  }

  #kill({ process }: Agent): void {
    if (process.pid !== undefined && process.exitCode === null && process.signalCode === null)
      process.kill('SIGKILL')
  }

  async #allSee(kind: string, limitMs: number): Promise<void> {
    await until(
      limitMs,
      `${this.#agents.length} Serf agents see each other`,
      () =>
        this.#agents.every(agent => {
          const seen = new Set(agent?.told.filter(told => told.kind === kind).map(told => told.member))
          return seen.size >= this.#agents.length
        }),
      100,
    )
  }

  /** From the signal until the last survivor's log says so. */
  async killOne(index: number, limitMs: number): Promise<number> {
    const victim = this.#agents[index] as Agent
    const survivors = this.#agents.filter(agent => agent !== undefined && agent !== victim) as Agent[]
    const at = nowMs()
    const heard = (agent: Agent) =>
      agent.told.find(
        told => told.at >= at && told.kind === 'EventMemberFailed' && told.member === `s${index}`,
      )
    this.#kill(victim)
    await until(
      limitMs,
      'every Serf agent holds it failed',
      () => survivors.every(agent => heard(agent) !== undefined),
      10,
    )
    await victim.ended
    return Math.max(...survivors.map(agent => heard(agent)?.at ?? Number.NaN)) - at
  }

  async restart(index: number, limitMs: number): Promise<void> {
    const at = nowMs()
    this.#launch(index)
    await until(
      limitMs,
      'every Serf agent sees it again',
      () =>
        this.#agents.every(
          (agent, i) =>
            i === index ||
            agent?.told.some(
              told => told.at >= at && told.kind === 'EventMemberJoin' && told.member === `s${index}`,
            ),
        ),
      100,
    )
  }

  async stop(): Promise<void> {
    this.#onExit()
    await Promise.all(this.#all.map(agent => agent.ended))
    process.off('exit', this.#onExit)
  }
}
