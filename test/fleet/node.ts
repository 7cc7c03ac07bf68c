// One node of a fleet: a process of its own, told by its parent what to do and telling
// it what it concludes of members and every run of its handlers, with the machine's
// time. It ends when its parent does. It is made by the library's `createNode`; with
// `inside` by what stands behind it, where the counts that no user sees can be read.

import { createHash } from 'node:crypto'
import { collectAfterStart, setEngine } from '../../src/adapters/system/engine.js'
import type { Handler, NodeOptions } from '../../src/index.js'

setEngine()
const { createNode } = await import('../../src/index.js')

const now = (): number => performance.timeOrigin + performance.now()
const tell = (message: object): void => {
  // The parent may be ending; what it can no longer hear is lost with it.
  if (process.connected) process.send?.(message, error => void error)
}

const { inside, ...options } = JSON.parse(process.argv[2] ?? '{}') as NodeOptions & { inside?: boolean }

/** What both ways of making a node have in common. */
const open = async () => {
  if (!inside) {
    const node = await createNode(options)
    return { ...node, addrs: node.self().addrs, inner: () => ({}) }
  }
  const { composeNode } = await import('../../src/runtime/compose.js')
  const { settingsOf } = await import('../../src/runtime/options.js')
  const settings = settingsOf(options)
  const { node, handlers } = await composeNode(settings)
  node.onStopped(reason => {
    tell({ kind: 'stopped', at: now(), reason })
    if (reason !== null) setTimeout(() => process.exit(3), 50)
  })
  await node.start(settings.join)
  return {
    id: node.id,
    addrs: node.info().addrs,
    members: () => node.members(),
    on: (kind: string, listener: (event: object) => void) =>
      node.journal.subscribe(node.journal.lastSeq, event => {
        if (event.kind.startsWith(`${kind}.`)) listener(event)
      }),
    handle: (name: string, handler: Handler) => handlers.register(name, handler),
    tasks: {
      put: (spec: unknown) => node.tasks.put(spec),
      list: () => node.tasks.list(),
      why: (id: string) => node.tasks.why(id as never),
    },
    space: (name: string) => node.space(name),
    drain: (on: boolean) => node.drain(on),
    leave: () => node.leave(),
    join: async (addresses: readonly string[]) => node.join(addresses),
    inner: () => ({ traffic: node.traffic(), counters: [...node.counters()], loop: node.loopStats() }),
  }
}

const node = await open()

// What a node concludes bears its time and is told a little later, many at once: all nodes
// of this machine would otherwise write to their pipes in the very moment that is measured.
const concluded: { kind: 'event'; at: number; event: object }[] = []
node.on('member', event => {
  if (concluded.push({ kind: 'event', at: now(), event }) > 1) return
  setTimeout(() => tell({ kind: 'many', messages: concluded.splice(0) }), 150)
})

/** Tells when a run begins and when it is over; what it does in between is the handler's. */
const told =
  (handler: Handler): Handler =>
  async context => {
    const { task, epoch, checkpoint } = context
    tell({ kind: 'run', at: now(), task, epoch, checkpoint, what: 'began' })
    try {
      return await handler(context)
    } finally {
      tell({ kind: 'run', at: now(), task, epoch, checkpoint, what: 'ended' })
    }
  }
const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
node.handle(
  'wait',
  told(({ signal }) => aborted(signal)),
)
node.handle(
  'tick',
  told(({ checkpoint, save }) => save(((checkpoint as number | null) ?? 0) + 1)),
)
node.handle(
  'block',
  told(({ input, signal }) => {
    const end = now() + Number(input)
    while (now() < end);
    return aborted(signal)
  }),
)

const entriesOf = (space: string): [string, unknown][] =>
  [...node.space(space).entries()].map(e => [e[0], e[1]])
const digest = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex')

const seen: { key: string; writtenAt: number; lagMs: number }[] = []

/** Writes one key after another at a steady pace; tells each that was acknowledged. */
const load = async (order: {
  space: string
  prefix: string
  perSecond: number
  count: number
  keys: number
}) => {
  const { space, prefix, perSecond, count, keys } = order
  const open = node.space(space)
  const began = now()
  const waiting: Promise<void>[] = []
  for (let i = 0; i < count; i++) {
    const due = began + (i * 1_000) / perSecond
    if (now() < due) await new Promise(resolve => setTimeout(resolve, due - now()))
    const key = `${prefix}${i % keys}`
    const value = { at: now(), n: i }
    waiting.push(open.set(key, value).then(() => tell({ kind: 'acked', at: now(), space, key, value })))
  }
  await Promise.all(waiting)
}

type Order = { kind: string; [key: string]: unknown }
const ORDERS: Readonly<Record<string, (order: Order) => unknown>> = {
  put: async ({ specs }) => {
    for (const spec of specs as never[]) await node.tasks.put(spec)
  },
  set: async ({ space, key, value }) => {
    await node.space(space as string).set(key as string, value as never)
    return now()
  },
  fill: async ({ space, prefix, count }) => {
    const open = node.space(space as string)
    for (let from = 0; from < (count as number); from += 100) {
      await open.transact(transaction => {
        for (let i = from; i < Math.min(from + 100, count as number); i++) {
          transaction.set(`${prefix}${i}`, { reading: i, unit: 'mbar', from: node.id.slice(-6) })
        }
      })
    }
  },
  get: ({ space, key }) => node.space(space as string).get(key as string) ?? null,
  entries: ({ space }) => entriesOf(space as string),
  count: ({ space }) => {
    let keys = 0
    for (const _ of node.space(space as string).entries()) keys++
    return keys
  },
  content: ({ space }) => {
    const entries = entriesOf(space as string)
    return { count: entries.length, digest: digest(entries) }
  },
  erase: async ({ space, prefix, count }) => {
    const open = node.space(space as string)
    for (let from = 0; from < (count as number); from += 100) {
      await open.transact(transaction => {
        for (let i = from; i < Math.min(from + 100, count as number); i++) transaction.delete(`${prefix}${i}`)
      })
    }
  },
  /** From now on keeps how late each change of the space came whose value says when it was written. */
  watch: ({ space }) => {
    node.space(space as string).observe(changes => {
      for (const { key, value } of changes) {
        const writtenAt = (value as { at?: number } | undefined)?.at
        if (writtenAt !== undefined) seen.push({ key, writtenAt, lagMs: now() - writtenAt })
      }
    })
  },
  seen: () => seen.splice(0),
  load: order => load(order as never),
  members: () => node.members(),
  view: () => {
    const alive = node.members().filter(member => member.verdict === 'alive')
    return {
      settled: alive.filter(member => member.settled).length,
      digest: digest(alive.map(member => member.id).sort()),
    }
  },
  tasks: () => node.tasks.list(),
  why: ({ task }) => node.tasks.why(task as string),
  join: ({ addrs }) => node.join(addrs as string[]),
  drain: ({ on }) => node.drain(on as boolean),
  usage: () => ({ rss: process.memoryUsage().rss, cpu: process.cpuUsage(), ...node.inner() }),
  leave: async () => {
    await node.leave()
    setImmediate(() => process.exit(0))
  },
}

process.on('disconnect', () => process.exit(0))
process.on('message', async (order: Order) => {
  try {
    const value = await ORDERS[order.kind]?.(order)
    tell({ kind: 'done', of: order.of, value })
  } catch (error) {
    tell({ kind: 'failed', of: order.of, error: String(error) })
  }
})
collectAfterStart()
tell({ kind: 'ready', at: now(), id: node.id, addrs: node.addrs })
