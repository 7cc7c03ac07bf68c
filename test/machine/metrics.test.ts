// Prometheus' own opinion of what a node says. Needs `promtool` (Debian: prometheus).

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import test from 'ava'
import { startNode, steady, until, withNode } from '../http/fixture.js'
import { requireTool } from './namespaces.js'

const check = async (metrics: string): Promise<{ readonly code: number; readonly text: string }> => {
  const child = spawn('promtool', ['check', 'metrics'])
  let text = ''
  child.stdout.on('data', chunk => {
    text += String(chunk)
  })
  child.stderr.on('data', chunk => {
    text += String(chunk)
  })
  child.stdin.end(metrics)
  const [code] = (await once(child, 'close')) as [number]
  return { code, text }
}

test('promtool has nothing to say about a node that has seen a member come, run a task and die', async t => {
  requireTool('promtool')
  await withNode({ kept: true, name: 'a' }, async a => {
    const b = await startNode({ name: 'b', join: [a.node.info().addrs[0] as string] })
    for (const node of [a, b]) node.handlers.register('steady', steady)
    await until(a, () => a.node.members().length === 2)
    for (let i = 0; i < 4; i++) await a.node.tasks.put({ id: `t${i}`, run: { handler: 'steady' } })
    await until(a, () => a.node.tasks.phases().running === 4)
    await b.close()
    await until(a, () => a.node.members().some(({ verdict }) => verdict === 'dead'))
    const { text } = await a.ask('GET', '/metrics')
    t.true(text.split('\n').length > 100)
    t.deepEqual(await check(text), { code: 0, text: '' })
  })
})
