// How a connection ends while nothing passes. One way takes 10 ms.

import test from 'ava'
import { pair } from './recorder.js'

test('a connection that is ended during a cut is ended for the other as well, when the cut ends', t => {
  const { world, core, order, idOf } = pair()
  world.cut(0, 1)
  order(0, { kind: 'hangUp', node: idOf(1), why: 'enough' })
  world.run(2_000)
  t.false(core(1).kinds.includes('linkDown reset'))
  world.heal()
  world.run(10_000)
  t.true(core(1).kinds.includes('linkDown reset'))
})

test('what was still to be sent of an ended connection goes with the power', t => {
  const { world, core, order, ping, idOf } = pair()
  world.cut(0, 1)
  ping(0, 1, 7)
  order(0, { kind: 'hangUp', node: idOf(1), why: 'enough' })
  world.run(2_000)
  world.powerOff(0)
  world.run(3_000)
  world.restart(0)
  world.heal()
  world.run(20_000)
  t.false(core(1).kinds.includes('ping 7'))
})
