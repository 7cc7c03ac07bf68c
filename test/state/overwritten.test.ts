// What is written over is replaced: no reader finds neither what was there nor what took its place, whoever
// was alone, booted, or is being caught up with meanwhile.

import test from 'ava'
import type { Message } from '../../src/core/message.js'
import { overwritten } from './overwritten.js'
import { variantsOf } from './replicas.js'
import { type TestNode, World } from './world.js'

/** Who lacked a key that all of them had, at any moment from now on. */
const watch = (world: World, key: string): string[] => {
  const faults: string[] = []
  world.around = (_event, turn) => {
    turn()
    for (const node of world.nodes)
      if (node.up && node.core.get('plant', key) === undefined) faults.push(`${node.id} at ${world.now}`)
  }
  return faults
}

/** Runs until a message of that kind has left a node. */
const untilSent = (world: World, node: TestNode, kind: Message['kind']): void => {
  let isSent = false
  world.onEffect = (from, effect) => {
    if (from === node && effect.kind === 'send' && effect.message.kind === kind) isSent = true
  }
  for (let ms = 0; ms < 10_000 && !isSent; ms++) world.advance(1)
  world.onEffect = null
}

test('what is written over alone is absent nowhere when its writer has booted again and meets the others', t => {
  // Read from the log; read from a snapshot, which does not say when its deletes were made.
  for (const foldEntries of [4_000, 2]) {
    for (const boots of [1, 3]) {
      const world = new World({ seed: boots, nodes: 3, latencyMs: [1, 5], config: { foldEntries } })
      const [a, b] = [world.node(0), world.node(1)]
      for (const node of world.nodes) world.set(node, 'plant', `of-${node.index}`, 1)
      world.set(b, 'plant', 'k', 'old')
      world.advance(2_000)
      world.partition(node => node === a)
      for (let boot = 0; boot < boots; boot++) {
        world.crash(a, a.disk.pending.length)
        world.start(a)
        const requests = ['k', 'l', 'm', 'n'].map(key => world.set(a, 'plant', key, `new-${boot}`))
        world.advance(1_000)
        for (const request of requests) t.true(world.isAcknowledged(request))
      }
      world.crash(a, a.disk.pending.length)
      world.start(a)
      t.is(a.core.get('plant', 'k'), `new-${boots - 1}`)
      world.advance(100)
      const faults = watch(world, 'k')
      world.heal()
      world.advance(30_000)
      t.deepEqual(faults, [], `folded after ${foldEntries}, ${boots} boots`)
      for (const node of world.nodes) t.is(node.core.get('plant', 'k'), `new-${boots - 1}`)
      t.is(variantsOf(world, 'space/plant'), 1)
    }
  }
})

test('a delete of an entry that lost takes nothing from a node that the winner has not reached', t => {
  // Nothing arrives by broadcast but what is handed on here.
  const world = new World({ seed: 1, nodes: 3, loss: 1, latencyMs: [1, 5] })
  const [a, b, late] = [world.node(0), world.node(1), world.node(2)]
  world.partition(node => node === a)
  world.set(b, 'plant', 'k', 'loser')
  world.advance(5_000)
  world.set(a, 'plant', 'k', 'winner')
  world.advance(100)
  world.heal()
  world.partition(node => node === late)
  world.set(a, 'plant', 'another', 1)
  const faults = watch(world, 'k')
  world.onEffect = (node, effect) => {
    if (node !== a || effect.kind !== 'publish') return
    const { message, topic } = effect
    world.later(0, () => world.step(late, { kind: 'gossip', from: a.id, topic, message, bytes: 0 }))
  }
  t.is(late.core.get('plant', 'k'), 'loser')
  world.advance(5_000)
  t.is(b.core.get('plant', 'k'), 'winner')
  world.onEffect = null
  world.heal()
  world.advance(30_000)
  t.deepEqual(faults, [])
  t.is(late.core.get('plant', 'k'), 'winner')
  t.is(variantsOf(world, 'space/plant'), 1)
})

test('a write in the midst of a catch-up takes nothing from whoever is being caught up with', t => {
  for (let seed = 1; seed <= 10; seed++) {
    const world = new World({ seed, nodes: 2, loss: 1, latencyMs: [1, 5], config: { pieceBytes: 60 } })
    const [a, late] = [world.node(0), world.node(1)]
    const keys = Array.from({ length: 12 }, (_, i) => `k${i}`)
    for (const key of keys) world.set(a, 'plant', key, 'old')
    world.advance(5_000)
    world.partition(node => node === late)
    for (const key of keys) if (key !== 'k3') world.set(a, 'plant', key, 'new')
    world.advance(1_000)
    const faults = watch(world, 'k3')
    world.heal()
    untilSent(world, a, 'statePiece')
    world.set(a, 'plant', 'k3', 'new')
    world.advance(10_000)
    t.deepEqual(faults, [], `seed ${seed}`)
    for (const key of keys) t.is(late.core.get('plant', key), 'new')
  }
})

test('nobody sees a key absent, or older than it was, because its writer was alone, killed and started again', t => {
  // The soak of restored disks runs thousands.
  for (let seed = 1; seed <= 15; seed++) t.is(overwritten(seed), null, `seed ${seed}`)
  // A broadcast of deletes alone, and a catch-up that went on while its sender was met.
  for (const seed of [138, 212]) t.is(overwritten(seed), null, `seed ${seed}`)
})
