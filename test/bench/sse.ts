// Whether a thousand readers of live events, one of which never reads, delay what a node
// is for. A node with its interface, a second that is killed, the readers in a process of
// their own; the time from the kill to the first node's verdict, with and without readers,
// in turns. Run as `node dist/test/bench/sse.js [rounds] [readers]`.

import '../../src/polyfill.js'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createNode } from '../../src/index.js'

const SELF = fileURLToPath(import.meta.url)
const LISTEN = ['/ip4/127.0.0.1/tcp/0']
/** Changes of state a second: each is an event for every reader. */
const CHANGES_PER_SECOND = 20
const SETTLE_MS = 1_500
const DEADLINE_MS = 15_000

type Report = { readonly [key: string]: unknown }

const spawn = (...args: string[]): ChildProcess => fork(SELF, args, { stdio: 'inherit' })

const hear = async (child: ChildProcess, kind: string): Promise<Report> => {
  const signal = AbortSignal.timeout(DEADLINE_MS)
  for (;;) {
    const [report] = (await once(child, 'message', { signal })) as [Report]
    if (report.kind === kind) return report
  }
}

const runWatcher = async (): Promise<void> => {
  const node = await createNode({ name: 'watcher', listen: LISTEN, mdns: false, api: '127.0.0.1:0' })
  node.on('member', event => {
    if (event.kind === 'member.alive' || event.kind === 'member.dead')
      process.send?.({ kind: event.kind, at: event.at })
  })
  let n = 0
  setInterval(() => void node.space('bench').set('n', ++n), 1_000 / CHANGES_PER_SECOND)
  process.on('message', message => {
    if (typeof message === 'object') {
      void node.join((message as { join: string[] }).join)
      return
    }
    const { user, system } = process.cpuUsage()
    process.send?.({ kind: 'usage', cpuMs: (user + system) / 1_000, rss: process.memoryUsage.rss() })
  })
  process.send?.({ kind: 'ready', api: node.api })
}

const runVictim = async (): Promise<void> => {
  const node = await createNode({ name: 'victim', listen: LISTEN, mdns: false })
  process.send?.({ kind: 'ready', addrs: node.self().addrs })
}

/** Opens so many streams; the first one reads nothing. */
const runReaders = async (api: string, count: number): Promise<void> => {
  const [host, port] = api.split(':') as [string, string]
  const sockets: Socket[] = []
  const bytes: number[] = []
  for (let i = 0; i < count; i++) {
    const socket = connect(Number(port), host)
    await once(socket, 'connect')
    socket.write(`GET /v1/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`)
    bytes.push(0)
    if (i === 0) socket.pause()
    else {
      socket.on('data', chunk => {
        bytes[i] = (bytes[i] ?? 0) + chunk.length
      })
    }
    socket.on('error', () => {})
    sockets.push(socket)
  }
  process.on('message', () => {
    const least = Math.min(...bytes.slice(1))
    process.send?.({ kind: 'read', least, open: sockets.filter(socket => !socket.destroyed).length })
  })
  process.send?.({ kind: 'ready' })
}

/** The watcher dials: a refusal where it met the victim itself is what shows a crash at once. */
const measure = async (watcher: ChildProcess): Promise<number> => {
  const victim = spawn('victim')
  const { addrs } = await hear(victim, 'ready')
  const alive = hear(watcher, 'member.alive')
  watcher.send({ join: addrs })
  await alive
  await pause(SETTLE_MS)
  const dead = hear(watcher, 'member.dead')
  const killedAt = Date.now()
  victim.kill('SIGKILL')
  return ((await dead).at as number) - killedAt
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN

const usage = async (watcher: ChildProcess): Promise<{ cpuMs: number; rss: number }> => {
  const answer = hear(watcher, 'usage')
  watcher.send('usage')
  return (await answer) as unknown as { cpuMs: number; rss: number }
}

const run = async (rounds: number, count: number): Promise<void> => {
  const watcher = spawn('watcher')
  const children = [watcher]
  try {
    const { api } = (await hear(watcher, 'ready')) as unknown as { api: string }
    const times: Record<'without' | 'with', number[]> = { without: [], with: [] }
    for (let round = 0; round < rounds; round++) {
      times.without.push(await measure(watcher))
      const readers = spawn('readers', api, String(count))
      children.push(readers)
      await hear(readers, 'ready')
      const before = await usage(watcher)
      const beganAt = Date.now()
      times.with.push(await measure(watcher))
      const after = await usage(watcher)
      const read = hear(readers, 'read')
      readers.send('read')
      const { least, open } = await read
      const share = (after.cpuMs - before.cpuMs) / (Date.now() - beganAt)
      console.log(
        `round ${round + 1}: ${times.without.at(-1)} ms without, ${times.with.at(-1)} ms with ${open} readers; the least read ${least} bytes; node at ${(share * 100).toFixed(0)} % of a core, ${(after.rss / 2 ** 20).toFixed(0)} MB`,
      )
      readers.kill('SIGKILL')
      await once(readers, 'exit')
    }
    console.log(
      `kill → dead, median of ${rounds}: ${median(times.without)} ms without, ${median(times.with)} ms with ${count} readers of ${CHANGES_PER_SECOND} events/s, one of them stuck`,
    )
  } finally {
    for (const child of children)
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
  }
}

const [role, first, second] = process.argv.slice(2)
if (role === 'watcher') await runWatcher()
else if (role === 'victim') await runVictim()
else if (role === 'readers') await runReaders(first as string, Number(second))
else await run(Number(role ?? 5), Number(first ?? 1_000))
