// A mesh of containers, each with what a small box has: 128 MB and a quarter of a core, as
// docker/compose.yaml sets it. How soon all are there, what being there costs each, and how
// soon all survivors hold one dead that is killed or frozen. As far as the machine allows:
// fifty quarters of a core are more than most have.
//
//   node dist/test/bench/containers.js --nodes=50 --faults=5

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { nowMs, sleep, until } from '../fleet/fleet.js'
import { part, remark, request, row } from '../fleet/table.js'
import { type Engine, ROOT, startEngine } from '../machine/docker-engine.js'

const { number } = request()
const NODES = number('nodes', 50, 5)
const IDLE_SECONDS = number('idle', 60, 10)
const FAULTS = number('faults', 5, 1)
const TASKS = number('tasks', 100, 10)
const LIMIT_MS = 240_000
const PROJECT = 'shoalbench'
const COMPOSE = ['--project-name', PROJECT, '--file', join(ROOT, 'docker', 'compose.yaml')]
const SILENT_BUDGET_MS = 2_500
const AGREE_MS_MAX = 60_000
const CALM_MS = 60_000

/** Asks many members at once; runs where the containers' network is. */
const ASK = `
const [token, path, as, ...hosts] = process.argv.slice(1)
const headers = { Authorization: 'Bearer ' + token }
const ask = host => fetch('http://' + host + ':4780' + path, { headers, signal: AbortSignal.timeout(20000) }).then(each => each[as](), () => null)
console.log(JSON.stringify(await Promise.all(hosts.map(ask))))
`
const PUT = `
const [token, host, count] = process.argv.slice(1)
const headers = { Authorization: 'Bearer ' + token, 'Content-Type': 'application/json' }
for (let i = 0; i < Number(count); i++) {
  const body = JSON.stringify({ id: 'sleep-' + i, run: { exec: ['sleep', '100000'] }, stopGrace: '1s' })
  const answer = await fetch('http://' + host + ':4780/v1/tasks/sleep-' + i, { method: 'PUT', headers, body })
  if (!answer.ok) throw new Error(answer.status + ' ' + await answer.text())
}
`

interface Box {
  readonly id: string
  readonly name: string
  readonly host: string
}
interface Told {
  readonly kind: string
  readonly at: number
  readonly member?: string
  readonly from?: string
}
interface Member {
  readonly id: string
  readonly name: string
  readonly verdict: string
}
interface Task {
  readonly copies: readonly { readonly node: string; readonly phase: string }[]
}

class Boxes {
  readonly #engine: Engine
  #token = ''

  constructor(engine: Engine) {
    this.#engine = engine
  }

  async start(): Promise<void> {
    const scale = ['--scale', `node=${NODES - 1}`, 'gateway', 'node']
    await this.#engine.compose(...COMPOSE, 'up', '--detach', '--no-build', ...scale)
    const filter = ['--filter', 'label=com.docker.compose.service=gateway']
    const gateway = await this.#engine.docker('ps', '--quiet', ...filter)
    const read = "fs.readFileSync('/run/shoal/api.token', 'utf8').trim()"
    this.#token = await this.#engine.docker('exec', gateway, 'node', '-p', read)
  }

  async up(): Promise<readonly Box[]> {
    const filter = `label=com.docker.compose.project=${PROJECT}`
    const ids = (await this.#engine.docker('ps', '--quiet', '--filter', filter)).split('\n').filter(Boolean)
    const found = JSON.parse(await this.#engine.docker('inspect', ...ids)) as {
      Id: string
      Config: { Hostname: string }
      State: { Paused: boolean }
      NetworkSettings: { Networks: Record<string, { IPAddress: string }> }
    }[]
    return found
      .filter(({ State }) => !State.Paused)
      .map(({ Id, Config, NetworkSettings }) => ({
        id: Id,
        name: Config.Hostname,
        host: Object.values(NetworkSettings.Networks)[0]?.IPAddress ?? '',
      }))
  }

  /** What each of them answers; null where one does not. */
  async ask<T>(boxes: readonly Box[], path: string, as: 'json' | 'text' = 'json'): Promise<(T | null)[]> {
    const hosts = boxes.map(({ host }) => host)
    const program = [process.execPath, '--input-type=module', '-e', ASK, this.#token, path, as, ...hosts]
    return JSON.parse(await this.#engine.inside(program)) as (T | null)[]
  }

  async agree(): Promise<void> {
    await until(LIMIT_MS, `${NODES} containers agree on who is here`, async () => {
      const views = await this.ask<Member[]>(await this.up(), '/v1/members')
      const alive = views.map(view => view?.filter(({ verdict }) => verdict === 'alive').length)
      return alive.length === NODES && alive.every(count => count === NODES)
    })
  }

  async putTasks(box: Box): Promise<void> {
    const program = [process.execPath, '--input-type=module', '-e', PUT, this.#token, box.host, `${TASKS}`]
    await this.#engine.inside(program)
    await until(LIMIT_MS, `${TASKS} tasks run`, async () => {
      const [tasks] = await this.ask<Task[]>([box], '/v1/tasks')
      const running = tasks?.filter(({ copies }) => copies.length === 1 && copies[0]?.phase === 'running')
      return running?.length === TASKS
    })
  }
}

const sum = (metrics: string | null, name: string): number => {
  const line = metrics?.split('\n').find(each => each.startsWith(name))
  return Number(line?.split(' ').at(-1) ?? Number.NaN)
}

const idle = async (boxes: Boxes): Promise<void> => {
  const up = await boxes.up()
  const at = nowMs()
  const before = await boxes.ask<string>(up, '/metrics', 'text')
  await sleep(IDLE_SECONDS * 1_000)
  const after = await boxes.ask<string>(up, '/metrics', 'text')
  const seconds = (nowMs() - at) / 1_000
  const grown = (name: string) => after.map((text, i) => sum(text, name) - sum(before[i] ?? null, name))
  row({
    what: `idle CPU a container, ${NODES} of them, ${IDLE_SECONDS} s`,
    unit: '%',
    values: grown('shoal_process_cpu_seconds_total').map(cpu => (cpu / seconds) * 100),
    budget: 0.5,
  })
  row({
    what: 'resident memory of its daemon, bundled',
    unit: 'MB',
    values: after.map(text => sum(text, 'shoal_process_resident_memory_bytes') / 1e6),
    budget: process.version.startsWith('v20.') ? 85 : 105,
  })
  row({
    what: 'payload that it sends',
    unit: 'B/s',
    values: grown('shoal_mesh_bytes_total{direction="sent"}').map(bytes => bytes / seconds),
  })
}

/** One fault after another on a container that is not the gateway; everything is undone between them. */
const harm = async (
  boxes: Boxes,
  fault: string,
  act: (box: Box) => Promise<unknown>,
  undo: (box: Box) => Promise<unknown>,
): Promise<void> => {
  const [dead, moved] = [[], []] as [number[], number[]]
  let wrong = 0
  for (let run = 0; run < FAULTS; run++) {
    const all = (await boxes.up()).filter(({ name }) => name !== 'gateway')
    const victim = all[(run * 7 + 3) % all.length] as Box
    const rest = (await boxes.up()).filter(({ id }) => id !== victim.id)
    const [members] = await boxes.ask<Member[]>([rest[0] as Box], '/v1/members')
    const lost = members?.find(({ name }) => name === victim.name)?.id
    const since = (await boxes.ask<{ seq: number }[]>(rest, '/v1/events')).map(told => told?.at(-1)?.seq ?? 0)
    const from = Math.min(...since)
    const at = Date.now()
    await act(victim)
    // One is asked until it knows: to ask all again and again would keep them busy with answers.
    const one = rest[0] as Box
    await until(
      AGREE_MS_MAX,
      'somebody holds it dead',
      async () => {
        const [events] = await boxes.ask<Told[]>([one], `/v1/events?since=${from}`)
        return events?.some(each => isDeath(each, at) && each.member === lost) ?? false
      },
      500,
    )
    await sleep(5_000)
    const told = await boxes.ask<Told[]>(rest, `/v1/events?since=${from}`)
    const deaths = told.map(events => (events ?? []).filter(each => isDeath(each, at)))
    dead.push(
      Math.max(...deaths.map(each => each.find(({ member }) => member === lost)?.at ?? Number.NaN)) - at,
    )
    wrong += deaths.flat().filter(({ member }) => member !== lost).length
    const seen = told.flatMap(events => events ?? [])
    moved.push(
      ...seen
        .filter(each => each.kind === 'task.moved' && each.at >= at && each.from === lost)
        .map(each => each.at - at),
    )
    await undo(victim)
    await boxes.agree()
    await sleep(5_000)
  }
  row({
    what: `${fault} → every survivor holds it dead, ${NODES} containers`,
    unit: 'ms',
    values: dead,
    budget: fault === 'docker pause' ? SILENT_BUDGET_MS : null,
  })
  row({ what: `${fault} → any node sees one of its tasks run elsewhere`, unit: 'ms', values: moved })
  row({ what: `${fault}: others held dead meanwhile`, unit: '', values: [wrong], budget: 0 })
}

const isDeath = (told: Told, since: number): boolean => told.kind === 'member.dead' && told.at >= since

const main = async (): Promise<void> => {
  let engine: Engine
  try {
    execFileSync(process.execPath, [join(ROOT, '.workshop', 'bundle.mjs')], { cwd: ROOT, stdio: 'ignore' })
    engine = await startEngine()
  } catch (error) {
    remark(`not measured: ${(error as Error).message}`)
    return
  }
  try {
    await engine.build('shoal:test')
    const boxes = new Boxes(engine)
    const startedAt = nowMs()
    await boxes.start()
    const createdAt = nowMs()
    remark(`${NODES} containers were created in ${((createdAt - startedAt) / 1_000).toFixed(1)} s`)
    await boxes.agree()
    row({ what: 'the last container is created → all agree', unit: 'ms', values: [nowMs() - createdAt] })
    // Starved as they start, they call themselves strained, and well again some time later.
    await sleep(CALM_MS)
    await idle(boxes)
    await boxes.putTasks((await boxes.up())[0] as Box)
    await sleep(5_000)
    await harm(
      boxes,
      'docker kill',
      box => engine.docker('kill', '--signal', 'KILL', box.id),
      box => engine.docker('start', box.id),
    )
    await harm(
      boxes,
      'docker pause',
      box => engine.docker('pause', box.id),
      box => engine.docker('unpause', box.id),
    )
  } finally {
    await engine.end()
  }
}

await part('containers', main)
