// One node of a fleet: a process of its own, told by its parent what to do and telling
// it everything that it concludes, with the machine's time. It ends when its parent does.

import { setFlagsFromString } from 'node:v8'

setFlagsFromString(process.version.startsWith('v20.') ? '--max-semi-space-size=1' : '--optimize-for-size')
const { createNode } = await import('../../src/index.js')

const now = (): number => performance.timeOrigin + performance.now()
const options = JSON.parse(process.argv[2] ?? '{}')
const node = await createNode(options)
const tell = (message: object): void => {
  if (process.connected) process.send?.(message)
}

for (const kind of ['member', 'task', 'state'] as const) {
  node.on(kind, event => tell({ kind: 'event', at: now(), event }))
}
node.handle('wait', ({ signal }) => new Promise(resolve => signal.addEventListener('abort', resolve)))
node.handle('tick', ({ checkpoint, save }) => save(((checkpoint as number | null) ?? 0) + 1))

process.on('disconnect', () => process.exit(0))
process.on('message', async (message: { kind: string; [key: string]: unknown }) => {
  try {
    switch (message.kind) {
      case 'put':
        for (const spec of message.specs as unknown[]) await node.tasks.put(spec)
        return tell({ kind: 'done', of: message.of })
      case 'set':
        await node.space(message.space as string).set(message.key as string, message.value as never)
        return tell({ kind: 'done', of: message.of, at: now() })
      case 'get':
        return tell({
          kind: 'done',
          of: message.of,
          value: node.space(message.space as string).get(message.key as string),
        })
      case 'members':
        return tell({ kind: 'done', of: message.of, value: node.members() })
      case 'tasks':
        return tell({ kind: 'done', of: message.of, value: node.tasks.list() })
      case 'drain':
        await node.drain(message.on as boolean)
        return tell({ kind: 'done', of: message.of })
      case 'usage':
        return tell({
          kind: 'done',
          of: message.of,
          value: { memory: process.memoryUsage(), cpu: process.cpuUsage() },
        })
      case 'leave':
        await node.leave()
        process.exit(0)
    }
  } catch (error) {
    tell({ kind: 'failed', of: message.of, error: String(error) })
  }
})
tell({ kind: 'ready', at: now(), id: node.id, addrs: node.self().addrs })
