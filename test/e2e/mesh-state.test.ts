// Shared state on five real nodes: what was acknowledged outlives `kill -9` of its
// writer, again and again, and all replicas end equal.

import test from 'ava'
import { Fleet, until } from '../fleet/fleet.js'
import { killWriters } from '../fleet/writers.js'

const LIMIT_MS = 45_000

test.serial('what was written before a kill is on every node', async t => {
  const fleet = new Fleet({ bundled: true })
  try {
    await fleet.start(5)
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
  } finally {
    await fleet.stop()
  }
})

test.serial(
  'five writers killed at work lose nothing that was acknowledged, and replicas end equal',
  async t => {
    const fleet = new Fleet({ bundled: true })
    try {
      const { kills, acknowledged, lost, digests } = await killWriters(fleet, 5, 5)
      t.is(kills, 5)
      t.true(acknowledged > 0)
      t.deepEqual(lost, [])
      t.is(new Set(digests).size, 1)
    } finally {
      await fleet.stop()
    }
  },
)
