// A node's HTTP API without a node: members and tasks in memory, faults on request, live
// events that resume. It places tasks by a toy rule and answers in the shapes of the
// contract, so that the page can be driven at any size and into any state.
//
//   node dist/test/dashboard/mock-api.js [MEMBERS] [TASKS] [PORT] [EVENTS_PER_SECOND]

import { existsSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface MockMember {
  id: string
  name: string
  verdict: 'alive' | 'suspect' | 'dead' | 'left'
  cause: string | null
  health: 'ok' | 'strained' | 'failing'
  reasons: string[]
  generation: number
  refutation: number
  addrs: string[]
  labels: Record<string, string>
  capacity: number | null
  runs: string[]
  settled: boolean
  draining: boolean
  since: number
  rttMs: number | null
  observers: string[]
}

export interface MockCopy {
  slot: number
  node: string | null
  phase: string
  epoch: string | null
  since: number
  restarts: number
  reason: string | null
  lastError: string | null
}

export interface MockTask {
  id: string
  run: Record<string, unknown>
  when: unknown
  input: unknown
  replicas: number
  needs: Record<string, string>
  spread: string | null
  weight: number
  stopGrace: string
  overlap: boolean
  onPartition: string
  revision: number
  copies: MockCopy[]
}

export interface MockOptions {
  readonly members?: number
  readonly tasks?: number
  readonly token?: string
  readonly controls?: readonly string[]
  readonly port?: number
  readonly nameOf?: (index: number) => string
}

type Fields = Record<string, unknown>

const DAY_MS = 86_400_000

export const createMockApi = (options: MockOptions = {}) => {
  const { members: count = 5, tasks: taskCount = 12, token = null, controls = null } = options
  const nameOf = options.nameOf ?? ((i: number) => `edge-${String(i + 1).padStart(count > 99 ? 3 : 2, '0')}`)
  const startedAt = Date.now() - DAY_MS
  const ids = Array.from({ length: count }, (_, i) => mockId(i))
  const zones = Math.min(8, Math.max(2, Math.ceil(count / 25)))
  const members = new Map<string, MockMember>()
  const tasks = new Map<string, MockTask>()
  const events: Fields[] = []
  const streams = new Set<ServerResponse>()
  const requests: { method: string; path: string; body: unknown }[] = []
  let viewAgeMs = 180
  let epoch = 0

  ids.forEach((id, i) => {
    const observers = [1, 7, 31, 57].map(step => ids[(i + step) % count] as string)
    members.set(id, {
      id,
      name: nameOf(i),
      verdict: 'alive',
      cause: null,
      health: 'ok',
      reasons: [],
      generation: 3,
      refutation: 0,
      addrs: [`/ip4/10.0.${Math.floor(i / 200)}.${(i % 200) + 10}/tcp/4701`],
      labels: { zone: `hall-${(i % zones) + 1}`, ...(i % 3 === 0 ? { modbus: 'line-3' } : {}) },
      capacity: i % 4 === 0 ? 40 : null,
      runs: ['exec', 'handler:modbus-poll', 'module'],
      settled: true,
      draining: false,
      since: startedAt + i * 1_000,
      rttMs: i > 0 && i < 6 ? 0.4 + i / 10 : null,
      observers: [...new Set(observers)].filter(each => each !== id),
    })
  })
  const self = members.get(ids[0] as string) as MockMember

  const emit = (kind: string, fields: Fields): void => {
    const event: Fields = { seq: events.length + 1, at: Date.now(), kind, ...fields }
    events.push(event)
    for (const stream of streams) write(stream, event)
  }
  const write = (stream: ServerResponse, event: Fields): void => {
    stream.write(`id: ${startedAt}-${String(event.seq)}\ndata: ${JSON.stringify(event)}\n\n`)
  }
  const eligible = (): MockMember[] =>
    [...members.values()].filter(({ verdict, draining }) => verdict === 'alive' && !draining)
  /** Copies already on each member. */
  const load = (id: string): number =>
    [...tasks.values()].reduce((sum, task) => sum + task.copies.filter(copy => copy.node === id).length, 0)

  const place = (task: MockTask, copy: MockCopy, cause: string, from: string | null): void => {
    const free = eligible().filter(({ id }) => !task.copies.some(other => other.node === id))
    const loads = new Map(free.map(({ id }) => [id, load(id)]))
    const to = free.sort(
      (a, b) => (loads.get(a.id) ?? 0) - (loads.get(b.id) ?? 0) || (a.id < b.id ? -1 : 1),
    )[0]
    Object.assign(copy, { since: Date.now(), lastError: null })
    if (to === undefined) {
      Object.assign(copy, {
        node: null,
        phase: 'waiting',
        epoch: null,
        reason: 'no eligible member has room for it',
      })
      return
    }
    const next = `${Math.floor(Date.now() / 1_000) + ++epoch}-${to.id}`
    Object.assign(copy, { node: to.id, phase: 'running', epoch: next, reason: null })
    if (from !== null)
      emit('task.moved', { task: task.id, node: to.id, epoch: next, cause, from, to: to.id, slot: copy.slot })
    emit('task.started', { task: task.id, node: to.id, epoch: next, cause, slot: copy.slot })
  }
  const moveAwayFrom = (id: string, cause: string): void => {
    for (const task of tasks.values())
      for (const copy of task.copies) if (copy.node === id) place(task, copy, cause, id)
  }

  const kinds = ['poll-line', 'bridge', 'historian', 'alarm', 'camera', 'report']
  for (let i = 0; i < taskCount; i++) {
    const kind = kinds[i % kinds.length] as string
    const replicas = i % 6 === 1 ? Math.min(3, count) : 1
    const task: MockTask = {
      id: `${kind}-${Math.floor(i / kinds.length) + 1}`,
      run: i % 2 === 0 ? { handler: 'modbus-poll' } : { exec: ['/usr/bin/bridge', '--line', String(i)] },
      when: i % 3 === 0 ? { every: '1s' } : 'always',
      input: { host: `plc-${i}.local` },
      replicas,
      needs: {},
      spread: null,
      weight: 1,
      stopGrace: '5s',
      overlap: false,
      onPartition: 'run',
      revision: 1,
      copies: [],
    }
    tasks.set(task.id, task)
    emit('task.applied', { task: task.id, node: null, epoch: null, cause: 'applied' })
    for (let slot = 0; slot < replicas; slot++) {
      const copy: MockCopy = {
        slot,
        node: null,
        phase: 'waiting',
        epoch: null,
        since: Date.now(),
        restarts: 0,
        reason: null,
        lastError: null,
      }
      task.copies.push(copy)
      place(task, copy, 'applied', null)
    }
  }

  const setVerdict = (id: string, verdict: MockMember['verdict'], cause: string | null): void => {
    const member = members.get(id)
    if (member === undefined) return
    Object.assign(member, { verdict, cause, since: Date.now() })
    emit(`member.${verdict}`, { member: id, name: member.name, verdict, cause })
  }
  const api = {
    ids,
    members,
    tasks,
    events,
    requests,
    emit,
    /** As a crash is seen: dead at once, and its tasks elsewhere. */
    kill(id: string): void {
      setVerdict(id, 'dead', 'crashed')
      moveAwayFrom(id, 'died')
    },
    suspect(id: string): void {
      setVerdict(id, 'suspect', 'unreachable')
    },
    revive(id: string): void {
      setVerdict(id, 'alive', null)
    },
    setHealth(id: string, health: MockMember['health'], reasons: string[]): void {
      const member = members.get(id)
      if (member === undefined) return
      Object.assign(member, { health, reasons })
      emit('member.health', { member: id, name: member.name, verdict: member.verdict, cause: null })
    },
    setViewAge(ms: number): void {
      viewAgeMs = ms
    },
    /** One copy goes somewhere else, for traffic without a fault. */
    moveOne(index: number): void {
      const all = [...tasks.values()]
      const task = all[index % all.length]
      const copy = task?.copies[0]
      if (task !== undefined && copy !== undefined) place(task, copy, 'rebalanced', copy.node)
    },
    port: 0,
    listen,
    close,
  }

  const answer = (response: ServerResponse, status: number, body?: unknown): void => {
    response.writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'shoal-view-age-ms': String(viewAgeMs),
    })
    response.end(body === undefined ? undefined : JSON.stringify(body))
  }
  const refuse = (response: ServerResponse, status: number, code: string, message: string): void =>
    answer(response, status, { error: { code, message } })

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://mock')
    const method = request.method ?? 'GET'
    if (pathname === '/') return servePage(response)
    const body = await readJson(request)
    if (method !== 'GET') requests.push({ method, path: pathname, body })
    if (token !== null && request.headers.authorization !== `Bearer ${token}`)
      return refuse(response, 401, 'TOKEN_REQUIRED', 'the request needs the token in api.token')
    const parts = pathname.split('/').filter(Boolean).map(decodeURIComponent)
    const [, noun, id, verb] = parts
    if (parts[0] !== 'v1') return refuse(response, 404, 'NOT_FOUND', `${pathname} is not part of the API`)
    switch (
      `${method} ${noun ?? ''}${id === undefined ? '' : '/:id'}${verb === undefined ? '' : `/${verb}`}`
    ) {
      case 'GET self': {
        const { verdict: _, cause: __, observers: ___, rttMs: ____, ...rest } = self
        return answer(response, 200, {
          ...rest,
          meshId: '5f0c93e1b2a44d07',
          spaces: ['*'],
          dialable: true,
          version: '0.1.0',
          startedAt,
        })
      }
      case 'GET members':
        return answer(response, 200, [...members.values()])
      case 'GET tasks':
        return answer(response, 200, [...tasks.values()])
      case 'GET events': {
        if (request.headers.accept?.includes('text/event-stream')) return stream(request, response)
        const since = Number(searchParams.get('since') ?? 0)
        return answer(response, 200, events.slice(since))
      }
      case 'GET demo':
        return controls === null
          ? refuse(response, 404, 'NOT_FOUND', 'no demo')
          : answer(response, 200, { controls })
      case 'POST demo': {
        const { action, node } = body as { action: string; node: string }
        if (action === 'kill') api.kill(node)
        else if (action === 'revive') api.revive(node)
        else api.suspect(node)
        return answer(response, 204)
      }
      case 'POST drain': {
        self.draining = (body as { on: boolean }).on
        emit('member.health', { member: self.id, name: self.name, verdict: self.verdict, cause: null })
        if (self.draining) moveAwayFrom(self.id, 'drained')
        return answer(response, 200, {})
      }
      case 'POST plan': {
        const { without } = body as { without: string[] }
        const moves = [...tasks.values()].flatMap(task =>
          task.copies
            .filter(copy => copy.node !== null && without.includes(copy.node))
            .map(copy => ({
              task: task.id,
              from: copy.node,
              to: eligible().find(each => !without.includes(each.id))?.id ?? null,
            })),
        )
        return answer(response, 200, { moves })
      }
      case 'DELETE members/:id': {
        const member = members.get(id ?? '')
        if (member?.verdict === 'alive') return refuse(response, 409, 'ALIVE', `${member.name} is alive`)
        members.delete(id ?? '')
        emit('member.forgotten', { member: id, name: member?.name ?? '', verdict: 'dead', cause: null })
        return answer(response, 204)
      }
      case 'GET tasks/:id': {
        const task = tasks.get(id ?? '')
        return task === undefined
          ? refuse(response, 404, 'TASK_UNKNOWN', `no task ${id}`)
          : answer(response, 200, task)
      }
      case 'POST tasks/:id/restart': {
        const copy = tasks.get(id ?? '')?.copies[0]
        if (copy !== undefined) copy.restarts++
        emit('task.started', {
          task: id,
          node: copy?.node ?? null,
          epoch: copy?.epoch ?? null,
          cause: 'changed',
          slot: 0,
        })
        return answer(response, 204)
      }
      case 'GET tasks/:id/why':
        return answer(response, 200, explain(id ?? ''))
      case 'GET tasks/:id/logs': {
        const node = tasks.get(id ?? '')?.copies[0]?.node
        if (node === undefined || node === null)
          return refuse(response, 504, 'OWNER_UNREACHABLE', 'nobody runs it now')
        const line = (i: number): Fields => ({
          at: Date.now() - (20 - i) * 1_000,
          node,
          epoch: '1',
          stream: i % 7 === 3 ? 'stderr' : 'stdout',
          line: i % 7 === 3 ? `retry ${i}: timeout after 200 ms` : `read 16 registers in ${3 + i} ms`,
        })
        return answer(
          response,
          200,
          Array.from({ length: 20 }, (_, i) => line(i)),
        )
      }
      default:
        return refuse(response, 404, 'NOT_FOUND', `${method} ${pathname} is not part of the mock`)
    }
  }
  const explain = (id: string): unknown => {
    const task = tasks.get(id)
    const holders = new Set(task?.copies.map(copy => copy.node))
    const candidates = [...members.values()].map((member, i) => {
      const isHere = member.verdict === 'alive' && !member.draining
      const chosen = holders.has(member.id)
      const reasons = chosen
        ? ['runs slot 0']
        : isHere
          ? [`spread: ${[...holders][0] ?? ''} has a copy where zone is hall-1`]
          : [member.draining ? 'draining' : 'absent: it is not alive']
      return { node: member.id, eligible: isHere, chosen, rank: isHere ? i + 1 : null, reasons }
    })
    candidates.sort((a, b) => Number(b.chosen) - Number(a.chosen) || (a.rank ?? 1e9) - (b.rank ?? 1e9))
    return { task: id, copies: [], candidates }
  }
  const stream = (request: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'shoal-view-age-ms': String(viewAgeMs),
    })
    response.write(': open\n\n')
    const last = /^(\d+)-(\d+)$/.exec(String(request.headers['last-event-id'] ?? ''))
    if (last !== null)
      for (const event of events.slice(Number(last[1]) === startedAt ? Number(last[2]) : 0))
        write(response, event)
    streams.add(response)
    response.on('close', () => streams.delete(response))
  }

  let server = createServer()
  async function listen(port = api.port): Promise<void> {
    server = createServer((request, response) => {
      handle(request, response).catch(error => {
        if (!response.headersSent) refuse(response, 500, 'MOCK', String(error))
        response.end()
      })
    })
    await new Promise<void>((resolve, reject) =>
      server.once('error', reject).listen(port, '127.0.0.1', resolve),
    )
    api.port = (server.address() as AddressInfo).port
  }
  /** As when the node is gone: connections break, the port refuses. */
  async function close(): Promise<void> {
    const closed = new Promise(resolve => server.close(resolve))
    server.closeAllConnections()
    await closed
  }
  return api
}

export type MockApi = ReturnType<typeof createMockApi>

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** Looks like a PeerId and is the same in every run. */
const mockId = (index: number): string => {
  let text = ''
  let x = (index + 1) * 2_654_435_761
  for (let i = 0; i < 44; i++) {
    x = (Math.imul(x ^ (x >>> 15), 2_246_822_519) + i + index) >>> 0
    text += ALPHABET[x % ALPHABET.length]
  }
  return `12D3Koo${text}${String(index).padStart(3, '1').replaceAll('0', 'z')}`.slice(0, 54)
}

const root = fileURLToPath(new URL('../../../', import.meta.url))
export const pageFile = join(root, 'dist', 'src', 'dashboard', 'dashboard.html')

const servePage = (response: ServerResponse): void => {
  if (!existsSync(pageFile)) {
    response.writeHead(500).end('the page is not built')
    return
  }
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  })
  response.end(readFileSync(pageFile))
}

const BODY_BYTES_MAX = 65_536

const readJson = async (request: IncomingMessage): Promise<unknown> => {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk as string
    if (text.length > BODY_BYTES_MAX) throw new Error('the body is too long')
  }
  return text === '' ? null : JSON.parse(text)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [members = 5, tasks = 12, port = 4799, rate = 0] = process.argv.slice(2).map(Number)
  const api = createMockApi({ members, tasks, controls: ['kill', 'freeze', 'cut', 'revive'] })
  await api.listen(port)
  let turn = 0
  // A move is two events.
  if (rate > 0) setInterval(() => api.moveOne(turn++), 2_000 / rate)
  process.stdout.write(`http://127.0.0.1:${api.port}/\n`)
}
