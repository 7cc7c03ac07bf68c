// Tasks on five real nodes: they outlive their node, nothing else moves, and a task
// that takes its node's event loop is named, or does no harm at all.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { Fleet, type FleetNode, type FleetOptions, until } from '../fleet/fleet.js'

const LIMIT_MS = 45_000
/** As long as any verdict takes, twice over; all of it is a whole core's. */
const HOG_MS = 5_000

interface Copy {
  readonly node: string | null
  readonly phase: string
  readonly epoch: string | null
}

const withFleet = async (options: FleetOptions, use: (fleet: Fleet) => Promise<void>): Promise<void> => {
  const fleet = new Fleet(options)
  try {
    await use(fleet)
  } finally {
    await fleet.stop()
  }
}

/** Task → its running copies, as this node sees them. */
const runningOn = async (node: FleetNode): Promise<Map<string, Copy[]>> => {
  const tasks = await node.ask<{ id: string; copies: Copy[] }[]>({ kind: 'tasks' })
  return new Map(tasks.map(({ id, copies }) => [id, copies.filter(copy => copy.phase === 'running')]))
}

/** Waits until every node sees one running copy of each task, all on running nodes. */
const allRun = async (fleet: Fleet, count: number): Promise<Map<string, Copy>> => {
  const { up } = fleet
  const ids = new Set(up.map(node => node.id))
  let owners = new Map<string, Copy>()
  await until(
    LIMIT_MS,
    `${count} tasks run once each`,
    async () => {
      const views = await Promise.all(up.map(runningOn))
      const isSo = views.every(
        view =>
          view.size === count &&
          [...view.values()].every(([copy, second]) => copy && !second && ids.has(copy.node ?? '')),
      )
      owners = new Map([...(views[0] ?? [])].map(([task, copies]) => [task, copies[0] as Copy]))
      return (
        isSo &&
        views.every(view => [...view].every(([task, [copy]]) => copy?.epoch === owners.get(task)?.epoch))
      )
    },
    100,
  )
  return owners
}

test.serial('tasks of a killed node run elsewhere and no other task moves', async t => {
  await withFleet({ bundled: true }, async fleet => {
    await fleet.start(5)
    await fleet.settle(LIMIT_MS)
    const specs = Array.from({ length: 30 }, (_, i) => ({ id: `task-${i}`, run: { handler: 'wait' } }))
    await fleet.node(0).ask({ kind: 'put', specs })
    const before = await allRun(fleet, specs.length)
    const victim = fleet.nodes.find(node => [...before.values()].some(copy => copy.node === node.id))
    if (victim === undefined) throw new Error('30 tasks run nowhere')
    const killedAt = await victim.kill()
    const after = await allRun(fleet, specs.length)
    for (const [task, { node, epoch }] of before) {
      if (node === victim.id) t.not(after.get(task)?.node, victim.id)
      // A healthy node's copy is the very one that ran before: never stopped, never claimed anew.
      else t.is(after.get(task)?.epoch, epoch, `${task} of a healthy node was moved`)
    }
    const orphans = [...before].filter(([, { node }]) => node === victim.id).map(([task]) => task)
    const began = fleet.runs().filter(run => run.at > killedAt && run.what === 'began')
    t.deepEqual(began.map(run => run.task).sort(), orphans.sort(), 'each orphan began once, and nothing else')
  })
})

test.serial('a handler that keeps the event loop to itself is named in the health of its node', async t => {
  await withFleet({ bundled: true }, async fleet => {
    await fleet.start(3)
    await fleet.settle(LIMIT_MS)
    await fleet.node(0).ask({
      kind: 'put',
      specs: [{ id: 'hog', run: { handler: 'block' }, input: 1_000 }],
    })
    let owner: string | null = null
    await until(LIMIT_MS, 'it runs', async () => {
      owner = (await runningOn(fleet.node(0))).get('hog')?.[0]?.node ?? null
      return owner !== null
    })
    const other = fleet.up.find(node => node.id !== owner) as FleetNode
    let reasons: readonly string[] = []
    await until(LIMIT_MS, 'its health names the task', async () => {
      const members = await other.ask<{ id: string; reasons: string[] }[]>({ kind: 'members' })
      reasons = members.find(member => member.id === owner)?.reasons ?? []
      return reasons.length > 0
    })
    t.regex(reasons.join(), /hog/)
  })
})

test.serial('a module that keeps its thread to itself does its node no harm', async t => {
  const modules = mkdtempSync(join(tmpdir(), 'shoal-modules-'))
  try {
    const hog = `export default () => { const end = Date.now() + ${HOG_MS}; while (Date.now() < end); return new Promise(() => {}) }\n`
    writeFileSync(join(modules, 'hog.mjs'), hog)
    await withFleet({ node: { modules } }, async fleet => {
      await fleet.start(3)
      await fleet.settle(LIMIT_MS)
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
  } finally {
    rmSync(modules, { recursive: true, force: true })
  }
})
