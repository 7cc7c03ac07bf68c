// Who gets into a mesh of real nodes: a member at whatever address it was joined, and no stranger.

import test from 'ava'
import { Fleet, type FleetOptions, until } from '../fleet/fleet.js'

const LIMIT_MS = 45_000

const withFleet = async (options: FleetOptions, use: (fleet: Fleet) => Promise<void>): Promise<void> => {
  const fleet = new Fleet({ bundled: true, ...options })
  try {
    await use(await fleet.prepare())
  } finally {
    await fleet.stop()
  }
}

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
