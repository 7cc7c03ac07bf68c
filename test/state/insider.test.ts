// What one member that lies, or is broken, can bring about at the others: it holds the mesh key, and is a neighbor of all.

import test from 'ava'
import { encodeVector } from '../../src/core/state/digest.js'
import type { StateMessage } from '../../src/core/state/message.js'
import { clientOf } from '../../src/core/state/writer.js'
import { type TestNode, World } from './world.js'

const LINEAGES = 'shoal_state_lineages_retired_total'
const NO_DELETES = new Uint8Array(0)

const tell = (world: World, to: TestNode, from: TestNode, message: StateMessage): void =>
  world.step(to, { kind: 'message', from: from.id, channel: 'bulk', message, bytes: 0 })

test('who says again and again that he knows more of a node’s writing than it does is believed eight times, in all its lives', t => {
  const world = new World({ seed: 1, nodes: 3, latencyMs: [1, 5] })
  const [victim, liar, other] = [world.node(0), world.node(1), world.node(2)]
  const lineages = new Map<string, string>()
  world.onEffect = (node, effect) => {
    if (node === victim && effect.kind === 'publish' && effect.message.kind === 'stateUpdate')
      lineages.set(effect.message.document, effect.message.lineage)
  }
  for (let round = 0; round < 200; round++) {
    if (round % 20 === 19) {
      world.crash(victim, victim.disk.pending.length)
      world.start(victim)
    }
    world.set(victim, 'plant', 'k', round)
    world.open(victim, 'notes').getMap('m').set('k', round)
    world.advance(1_000)
    for (const [document, lineage] of lineages) {
      const vector = encodeVector(new Map([[clientOf(victim.id, lineage), 1_000_000]]))
      tell(world, victim, liar, { kind: 'stateDigest', document, vector, deletes: NO_DELETES })
    }
  }
  world.advance(10_000)
  t.deepEqual(victim.offences, [])
  t.is(victim.counts.get(LINEAGES), 2 * 8)
  for (const node of [liar, other]) t.is(node.core.get('plant', 'k'), 199)
  t.is(world.open(other, 'notes').getMap('m').get('k'), 199)
  t.true(world.stored(other, 'space/plant').store.clients.size <= 9)
})
