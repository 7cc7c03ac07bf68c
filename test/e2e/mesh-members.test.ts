// Five real nodes find each other, lose each other and come back; strangers and
// copies are kept out. Counts and orders, no times: those are for the bench.

import { cpSync, rmSync } from 'node:fs'
import test from 'ava'
import { Fleet, type FleetOptions, sleep, until } from '../fleet/fleet.js'

const LIMIT_MS = 45_000

const withFleet = async (options: FleetOptions, use: (fleet: Fleet) => Promise<void>): Promise<void> => {
  const fleet = new Fleet({ bundled: true, ...options })
  try {
    await use(await fleet.prepare())
  } finally {
    await fleet.stop()
  }
}

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
  await withFleet({ inside: true }, async fleet => {
    await fleet.start(5)
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
      const wrong = node.events.filter(event => event.kind === 'member.dead' && event.member !== victim.id)
      t.deepEqual(wrong, [])
    }
  })
})

test.serial(
  'a member that was joined by HOST:PORT, and not by an address as it announces them, is crashed all the same',
  async t => {
    await withFleet({ inside: true }, async fleet => {
      const first = fleet.launch(0)
      await first.ready
      const port = first.addrs[0]?.match(/\/tcp\/(\d+)/)?.[1]
      const second = fleet.launch(1, { join: [`localhost:${port}`] })
      await second.ready
      await fleet.agree(LIMIT_MS)
      await until(LIMIT_MS, 'the second has met the first', async () => {
        const { counters = [] } = await second.usage()
        return counters.some(({ metric, value }) => metric === 'members_met' && value > 0)
      })
      const at = await first.kill()
      await until(
        LIMIT_MS,
        'its death is known',
        () => second.heard('member.dead', first.id, at) !== undefined,
      )
      t.is(second.heard('member.dead', first.id, at)?.cause, 'crashed')
    })
  },
)

test.serial('a node with another mesh key cannot join, and is counted', async t => {
  await withFleet({ inside: true }, async fleet => {
    const meshKey = fleet.meshKey('ours')
    const first = fleet.launch(0, { meshKey })
    await first.ready
    const second = fleet.launch(1, { meshKey })
    await second.ready
    await fleet.agree(LIMIT_MS)
    const before = (await first.usage()).traffic?.refusedKeys ?? Number.NaN
    t.is(before, 0)
    const stranger = fleet.launch(2, { meshKey: fleet.meshKey('theirs'), join: [first.addrs[0]] })
    await stranger.ready
    await until(
      LIMIT_MS,
      'the stranger is counted',
      async () => ((await first.usage()).traffic?.refusedKeys ?? 0) > 0,
    )
    await fleet.agree(LIMIT_MS, [first, second])
    await fleet.agree(LIMIT_MS, [stranger])
    for (const node of [first, second]) {
      const members = await node.ask<{ id: string }[]>({ kind: 'members' })
      t.false(members.some(member => member.id === stranger.id))
    }
  })
})

test.serial('of two processes with one identity exactly one stands down and says why', async t => {
  await withFleet({ inside: true }, async fleet => {
    await fleet.start(3)
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
})
