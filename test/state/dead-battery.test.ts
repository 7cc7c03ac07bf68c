// A gateway without a battery wakes up in 1970, and NTP sets its clock at some time, or never.

import test from 'ava'
import { type TestNode, World } from './world.js'

const setClock = (world: World, node: TestNode, offsetMs: number): void => {
  node.wallOffset = offsetMs
  world.step(node, { kind: 'wall', offsetMs })
}

test('what a node writes in 1970 stands over all that it has seen, deletes included, before and after it has met others', t => {
  for (let seed = 0; seed < 10; seed++) {
    for (const isSet of [false, true]) {
      const world = new World({
        seed,
        nodes: 3,
        latencyMs: [200, 300],
        config: { pieceBytes: 60, tidyDelayMs: 50 },
      })
      const [a, b, c] = [world.node(0), world.node(1), world.node(2)]
      for (const key of ['k', 'l', 'm', 'n']) world.set(b, 'plant', key, 'old')
      world.advance(5_000)
      // The others know of a delete that the one who wrote before does not.
      world.partition(node => node === b)
      world.delete(c, 'plant', 'k')
      world.delete(c, 'plant', 'l')
      world.advance(10_000)
      world.crash(a, a.disk.pending.length)
      a.wallOffset = -world.now
      world.partition(node => node === a || node === b)
      world.start(a)
      world.partition(node => node === a)
      for (const key of ['k', 'm']) world.set(a, 'plant', key, 'in 1970')
      world.advance(1_000)
      if (isSet) setClock(world, a, 0)
      for (const key of ['l', 'n']) world.set(a, 'plant', key, 'later')
      // So many that the deletes, which come last, are half a second later.
      for (let i = 0; i < 12; i++) world.set(a, 'plant', `x-${i}`, i)
      world.advance(10_000)
      world.heal()
      world.partition(node => node === c)
      world.advance(60_000)
      world.heal()
      world.advance(60_000)
      const expected = { k: 'in 1970', l: 'later', m: 'in 1970', n: 'later' }
      for (const node of world.nodes) t.like(world.contents(node, 'plant'), expected, `seed ${seed}`)
    }
  }
})
