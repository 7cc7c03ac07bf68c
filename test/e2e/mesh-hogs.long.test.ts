// Tasks that take all the time there is, on three real nodes: a module has a thread of its
// own and does its node no harm, and a handler, which has not, is named.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import anyTest, { type TestFn } from 'ava'
import { Fleet, type FleetNode, until } from '../fleet/fleet.js'
import { runningOn } from '../fleet/tasks.js'

const LIMIT_MS = 45_000
/** Longer than any verdict takes; all of it is a whole core's. */
const HOG_MS = 4_000

const test = anyTest as TestFn<{ fleet: Fleet; modules: string }>

test.before(async t => {
  const modules = mkdtempSync(join(tmpdir(), 'shoal-modules-'))
  const fleet = new Fleet({ node: { modules } })
  Object.assign(t.context, { fleet, modules })
  const hog = `export default () => { const end = Date.now() + ${HOG_MS}; while (Date.now() < end); return new Promise(() => {}) }\n`
  writeFileSync(join(modules, 'hog.mjs'), hog)
  await fleet.start(3)
  await fleet.settle(LIMIT_MS)
})

test.after.always(async t => {
  const { fleet, modules } = t.context
  await fleet.stop()
  rmSync(modules, { recursive: true, force: true })
})

test.serial('a module that keeps its thread to itself does its node no harm', async t => {
  const { fleet } = t.context
  await fleet
    .node(0)
    .ask({ kind: 'put', specs: [{ id: 'hog', run: { module: 'hog.mjs' }, stopGrace: '100ms' }] })
  let owner: string | null = null
  await until(LIMIT_MS, 'it runs', async () => {
    owner = (await runningOn(fleet.node(0))).get('hog')?.[0]?.node ?? null
    return owner !== null
  })
  // Its thread is blocked from now on.
  const from = Math.max(...fleet.nodes.map(node => node.events.at(-1)?.at ?? 0))
  const end = performance.now() + HOG_MS
  await until(LIMIT_MS, 'its thread is free again', () => performance.now() > end, 100)
  const against = fleet.nodes
    .flatMap(node => node.events)
    .filter(event => event.at > from && event.member === owner && event.kind === 'member.dead')
  t.deepEqual(against, [])
  for (const node of fleet.up) {
    const members = await node.ask<{ reasons: string[] }[]>({ kind: 'members' })
    t.false(members.some(({ reasons }) => reasons.some(reason => reason.includes('hog'))))
  }
  await fleet.agree(LIMIT_MS)
})

// Last: it goes on keeping its node busy.
test.serial('a handler that keeps the event loop to itself is named in the health of its node', async t => {
  const { fleet } = t.context
  await fleet.node(0).ask({
    kind: 'put',
    specs: [{ id: 'greedy', run: { handler: 'block' }, input: 1_000 }],
  })
  let owner: string | null = null
  await until(LIMIT_MS, 'it runs', async () => {
    owner = (await runningOn(fleet.node(0))).get('greedy')?.[0]?.node ?? null
    return owner !== null
  })
  const other = fleet.up.find(node => node.id !== owner) as FleetNode
  let reasons: readonly string[] = []
  await until(LIMIT_MS, 'its health names the task', async () => {
    const members = await other.ask<{ id: string; reasons: string[] }[]>({ kind: 'members' })
    reasons = members.find(member => member.id === owner)?.reasons ?? []
    return reasons.join().includes('greedy')
  })
  t.regex(reasons.join(), /greedy/)
})
