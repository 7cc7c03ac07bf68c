// Five real nodes that live through it all, one thing after the other: a fleet takes a core
// for some seconds to start, so what can happen to the same one does. Tasks outlive their
// node, what was acknowledged outlives `kill -9` of its writer, members die, return and leave,
// and of two copies of a node one stands down. Counts and orders, no times: those are for
// the bench.

import { cpSync, rmSync } from 'node:fs'
import anyTest, { type TestFn } from 'ava'
import { Fleet, sleep, until } from '../fleet/fleet.js'
import { type Copy, runningOn } from '../fleet/tasks.js'
import { killWriters } from '../fleet/writers.js'

const LIMIT_MS = 45_000
const NODES = 5

const test = anyTest as TestFn<{ fleet: Fleet }>

test.before(async t => {
  t.context.fleet = new Fleet({ bundled: true, inside: true })
  await t.context.fleet.start(NODES)
})

test.after.always(t => t.context.fleet.stop())

/** The fleet with all five, whoever a test before has killed. */
const wholeFleet = async ({ context: { fleet } }: { context: { fleet: Fleet } }): Promise<Fleet> => {
  const gone = fleet.nodes.filter(node => !node.isUp)
  await Promise.all(gone.map(({ index }) => fleet.launch(index).ready))
  await fleet.agree(LIMIT_MS)
  return fleet
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

// First: a node that came back again and again proves itself for a while before it takes tasks.
test.serial('tasks of a killed node run elsewhere and no other task moves', async t => {
  const { fleet } = t.context
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

test.serial('what was written before a kill is on every node', async t => {
  const fleet = await wholeFleet(t)
  const writer = fleet.node(2)
  for (let i = 0; i < 20; i++) await writer.ask({ kind: 'set', space: 'plant', key: `key-${i}`, value: i })
  await until(LIMIT_MS, 'a neighbor holds the last word', async () => {
    const held = await Promise.all(
      fleet.up
        .filter(node => node !== writer)
        .map(node => node.ask({ kind: 'get', space: 'plant', key: 'key-19' })),
    )
    return held.includes(19)
  })
  await writer.kill()
  const expected = Array.from({ length: 20 }, (_, i) => [`key-${i}`, i]).sort()
  for (const node of fleet.up) {
    let entries: unknown = null
    await until(LIMIT_MS, `node ${node.index} holds all`, async () => {
      entries = await node.ask({ kind: 'entries', space: 'plant' })
      return (entries as unknown[]).length === expected.length
    })
    t.deepEqual(entries, expected)
  }
})

test.serial(
  'five writers killed at work lose nothing that was acknowledged, and replicas end equal',
  async t => {
    const { kills, acknowledged, lost, digests } = await killWriters(await wholeFleet(t), NODES, NODES)
    t.is(kills, NODES)
    t.true(acknowledged > 0)
    t.deepEqual(lost, [])
    t.is(new Set(digests).size, 1)
  },
)

/** Until each node met each other at its own address: before, a refusal there says nothing to it. */
const untilMet = (fleet: Fleet) =>
  until(LIMIT_MS, 'everybody met everybody', async () => {
    const met = fleet.up.map(async node => {
      const { counters = [] } = await node.usage()
      return counters.find(({ metric }) => metric === 'members_met')?.value ?? 0
    })
    return (await Promise.all(met)).every(count => count >= fleet.up.length - 1)
  })

test.serial('a killed node is crashed for everybody, then alive again, and left when it leaves', async t => {
  const fleet = await wholeFleet(t)
  await untilMet(fleet)
  const victim = fleet.node(3)
  const survivors = fleet.up.filter(node => node !== victim)
  const at = await victim.kill()
  const hears = (kind: string, from: number) =>
    until(LIMIT_MS, `everybody hears ${kind}`, () =>
      survivors.every(node => node.heard(kind, victim.id, from) !== undefined),
    )
  await hears('member.dead', at)
  for (const node of survivors) t.is(node.heard('member.dead', victim.id, at)?.cause, 'crashed')

  const again = fleet.launch(3)
  await again.ready
  t.is(again.id, victim.id)
  await hears('member.alive', again.startedAt)
  await fleet.agree(LIMIT_MS)

  const leavesAt = again.readyAt
  await again.ask({ kind: 'leave' })
  await hears('member.left', leavesAt)
  await again.ended
  t.is(again.process.exitCode, 0)
  for (const node of survivors) {
    t.is(node.heard('member.left', victim.id, leavesAt)?.verdict, 'left')
    // Saying goodbye is not dying.
    t.is(node.heard('member.dead', victim.id, leavesAt), undefined)
    const wrong = node.events.filter(
      event => event.at >= at && event.kind === 'member.dead' && event.member !== victim.id,
    )
    t.deepEqual(wrong, [])
  }
})

test.serial('of two processes with one identity exactly one stands down and says why', async t => {
  const fleet = await wholeFleet(t)
  const original = fleet.node(2)
  await original.kill()
  // A card that was copied: both know the mesh, and both believe to be this node.
  const copy = fleet.dataDir(9)
  cpSync(fleet.dataDir(2), copy, { recursive: true })
  rmSync(`${copy}/store/LOCK`, { force: true })
  const one = fleet.launch(2)
  const other = fleet.launch(9)
  await Promise.all([one.ready, other.ready])
  t.is(one.id, other.id)
  await until(LIMIT_MS, 'one stands down', () => one.isUp !== other.isUp)
  const gone = one.isUp ? other : one
  const kept = one.isUp ? one : other
  t.regex(gone.stoppedBecause ?? '', /another process runs with this node's identity/)
  await fleet.agree(LIMIT_MS)
  // Whoever remained goes on.
  await sleep(500)
  t.true(kept.isUp)
  t.is(kept.stoppedBecause, null)
})
