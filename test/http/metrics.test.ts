// What a scrape of a real node says.

import test from 'ava'
import { Registry } from 'prom-client'
import { countersOf } from '../../src/adapters/metrics/counters.js'
import { tasksSeen } from '../../src/adapters/metrics/tasks-seen.js'
import { startNode, steady, until, withNode } from './fixture.js'

const value = (text: string, series: string): number | undefined => {
  const line = text.split('\n').find(each => each.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

test('nodes that agree on who is here show the same digest; members are counted by verdict', async t => {
  await withNode({ name: 'a' }, async a => {
    const b = await startNode({ name: 'b', join: [a.node.info().addrs[0] as string] })
    await until(a, () => a.node.members().length === 2)
    await until(b, () => b.node.members().length === 2)
    const [first, second] = [await a.ask('GET', '/metrics'), await b.ask('GET', '/metrics')]
    t.is(value(first.text, 'shoal_view_digest'), value(second.text, 'shoal_view_digest'))
    t.is(value(first.text, 'shoal_members{verdict="alive"}'), 2)
    await b.close()
    await until(a, () => a.node.members().some(({ verdict }) => verdict === 'dead'))
    const after = await a.ask('GET', '/metrics')
    t.is(value(after.text, 'shoal_members{verdict="dead"}'), 1)
    t.not(value(after.text, 'shoal_view_digest'), value(first.text, 'shoal_view_digest'))
    t.regex(after.text, /^shoal_detection_seconds_count\{cause="\w+"\} 1$/m)
    t.regex(
      after.text,
      new RegExp(`^shoal_member_dead_since_seconds\\{member="${b.node.id}",name="b"\\} \\d+`, 'm'),
    )
  })
})

test('a task that nobody can run is uncovered; one that runs is available', async t => {
  await withNode({}, async node => {
    node.handlers.register('steady', steady)
    await node.node.tasks.put({ id: 'runs', run: { handler: 'steady' } })
    await node.node.tasks.put({ id: 'waits', run: { handler: 'nobody' } })
    await node.node.tasks.put({ id: 'paused', run: { handler: 'nobody' }, replicas: 0 })
    await until(node, () => node.node.tasks.phases().running === 1)
    const { text } = await node.ask('GET', '/metrics')
    t.is(value(text, 'shoal_tasks'), 3)
    t.is(value(text, 'shoal_tasks_uncovered'), 1)
    t.is(value(text, 'shoal_task_copies{phase="running"}'), 1)
    t.is(value(text, 'shoal_task_copies{phase="waiting"}'), 1)
    t.true((value(text, 'shoal_task_availability_ratio{task="runs"}') ?? 0) > 0)
  })
})

test('two nodes of one process have each their own numbers', async t => {
  await withNode({}, async a => {
    await withNode({}, async b => {
      await a.node.space('only-a').set('k', 1)
      t.is(value((await a.ask('GET', '/metrics')).text, 'shoal_state_keys{space="only-a"}'), 1)
      t.is(value((await b.ask('GET', '/metrics')).text, 'shoal_state_keys{space="only-a"}'), undefined)
    })
  })
})

test('the counters of the core get their prefix and their base unit', async t => {
  const registry = new Registry()
  const collect = countersOf(
    {
      counters: () => [
        { metric: 'shoal_task_gap_ms', labels: { cause: 'died' }, value: 1_500 },
        { metric: 'shoal_state_dropped_total', labels: { reason: 'x' }, value: 2 },
        { metric: 'refutations', labels: {}, value: 3 },
      ],
    },
    registry,
  )
  for (let scrape = 0; scrape < 2; scrape++) {
    collect()
    const text = await registry.metrics()
    t.is(value(text, 'shoal_task_gap_seconds_total{cause="died"}'), 1.5)
    t.is(value(text, 'shoal_state_dropped_total{reason="x"}'), 2)
    t.is(value(text, 'shoal_refutations_total'), 3)
  }
})

test('a slot counts as covered when any of its copies runs; a finished job owes nothing', t => {
  const seen = tasksSeen([
    {
      copies: [
        { slot: 0, phase: 'failed' },
        { slot: 0, phase: 'running' },
      ],
    },
    { copies: [{ slot: 0, phase: 'stopped' }], result: {} },
    {
      copies: [
        { slot: 0, phase: 'running' },
        { slot: 1, phase: 'waiting' },
      ],
    },
    { problem: 'of a later version', copies: [] },
  ])
  t.is(seen.uncovered, 1)
  t.is(seen.unreadable, 1)
  t.is(seen.phases.get('running'), 2)
})
