// A gateway without a battery wakes up in 1970, and NTP sets its clock at some time, or never.

import test from 'ava'
import * as Y from 'yjs'
import { createHybridClock, packStamp, stampMs } from '../../src/core/hybrid-clock.js'
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

test('what a node writes in 1970 after a restart comes after the deletes that it saw before', t => {
  for (const isFolded of [false, true]) {
    const world = new World({
      seed: 1,
      nodes: 3,
      latencyMs: [1, 5],
      config: { tidyDelayMs: 50, foldEntries: isFolded ? 5 : 4_000 },
    })
    const [a, b, c] = [world.node(0), world.node(1), world.node(2)]
    setClock(world, a, -world.now)
    for (let i = 0; i < 10; i++) {
      world.set(b, 'plant', 'k', `old ${i}`)
      world.advance(1_000)
    }
    // The third does not hear of the delete, nor of anything else for a while.
    world.partition(node => node === c)
    world.delete(b, 'plant', 'k')
    world.advance(10_000)
    t.is(a.core.get('plant', 'k'), undefined)
    world.crash(a, a.disk.pending.length)
    world.start(a)
    world.advance(10_000)
    const stamps: number[] = []
    world.onEffect = (node, effect) => {
      if (node !== a || effect.kind !== 'publish' || effect.message.kind !== 'stateUpdate') return
      for (const struct of Y.decodeUpdate(effect.message.update).structs)
        if (struct instanceof Y.Item && struct.content instanceof Y.ContentEmbed)
          stamps.push((struct.content.embed as unknown as [string, number])[1])
    }
    world.set(a, 'plant', 'k', 'after')
    world.advance(1_000)
    // A second before the last of those that it saw.
    t.true(stamps.length === 1 && stampMs(stamps[0] as number) > world.now - 25_000, `${stamps}`)
    world.heal()
    world.advance(60_000)
    for (const node of world.nodes) t.deepEqual(world.contents(node, 'plant'), { k: 'after' })
  }
})

test('a clock that was led to 2069 while it was not set comes back when it is', t => {
  const clock = createHybridClock(60_000)
  const [unset, set] = [1_000, 1_700_000_000_000]
  const far = packStamp(3_124_000_000_000, 0)
  clock.look(unset)
  t.true(clock.observe(far, unset))
  t.true(clock.next(unset) > far)
  clock.look(set)
  t.is(stampMs(clock.next(set)), set)
  t.false(clock.observe(far, set))
  // One that was set all the time never goes backwards.
  const other = createHybridClock(60_000)
  other.look(set)
  const last = other.next(set)
  other.look(set - 3_600_000)
  t.true(other.next(set - 3_600_000) > last)
})

test('a peer from 2069 does not make a node that had no clock win over others once it has one', t => {
  const world = new World({ seed: 2, nodes: 3, latencyMs: [1, 5] })
  const [a, b, far] = [world.node(0), world.node(1), world.node(2)]
  setClock(world, far, 3_124_000_000_000 - world.now)
  setClock(world, a, -world.now)
  world.set(far, 'plant', 'x', 'far')
  world.advance(1_000)
  setClock(world, a, 0)
  world.partition(node => node === a)
  world.set(a, 'plant', 'k', 'earlier')
  world.advance(5_000)
  world.set(b, 'plant', 'k', 'later')
  world.advance(5_000)
  world.heal()
  world.advance(60_000)
  for (const node of world.nodes) t.is(node.core.get('plant', 'k'), 'later')
})
