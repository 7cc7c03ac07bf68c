// A node that is new to a mesh asks for the tasks that the mesh has already: what they
// had reached stays reached.

import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { createNode, type ShoalNode } from '../../src/index.js'

const BOUND_MS = 30_000
const SPEC = { id: 'count', run: { handler: 'count' } }

test('a new node that puts a task at once, as its program does, does not set the checkpoint back', async t => {
  const reached: number[] = []
  const open = async (join: readonly string[]): Promise<ShoalNode> => {
    const node = await createNode({ listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false, join, logLevel: 'silent' })
    t.teardown(() => node.close())
    node.handle('count', async ({ checkpoint, save, signal }) => {
      for (let n = Number(checkpoint ?? 0) + 1; !signal.aborted; n++) {
        await save(n)
        reached.push(n)
        await sleep(20)
      }
    })
    await node.tasks.put(SPEC)
    return node
  }
  const until = async (holds: () => boolean): Promise<void> => {
    for (const end = performance.now() + BOUND_MS; !holds(); await sleep(10))
      if (performance.now() > end) throw new Error(`reached only ${reached.slice(-3)}`)
  }
  const first = await open([])
  await until(() => reached.length >= 20)
  const { addrs } = first.self()
  const second = await open(addrs)
  const atJoin = reached.length
  await until(() => reached.length >= atJoin + 100)
  t.deepEqual(
    reached.filter((n, i) => i > 0 && n < (reached[i - 1] as number)),
    [],
    'never less than before',
  )
  for (const node of [first, second]) t.is(node.tasks.list()[0]?.revision, 1)
})
