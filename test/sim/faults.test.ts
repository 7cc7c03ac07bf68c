// Fault schedules: drawn from the seed, bounded, and over before the quiet end.

import test from 'ava'
import { type FaultProfile, faultDefaults, planFaults } from '../../src/sim/faults.js'
import { toyWorld } from './toy-world.js'

const profile: FaultProfile = { ...faultDefaults, fromMs: 2_000, untilMs: 60_000, everyMs: 200 }

test('the same seed draws the same faults, another seed others', t => {
  const first = planFaults(toyWorld({ seed: 3, nodes: 20 }), profile)
  t.deepEqual(planFaults(toyWorld({ seed: 3, nodes: 20 }), profile), first)
  t.notDeepEqual(planFaults(toyWorld({ seed: 4, nodes: 20 }), profile), first)
  t.deepEqual(
    [...new Set(first.map(fault => fault.kind))].sort(),
    Object.keys(profile.weights).sort() as (typeof first)[number]['kind'][],
  )
})

test('never more than the given share is dead or frozen, and when the faults are over all are up and connected', t => {
  for (let seed = 1; seed <= 5; seed++) {
    const world = toyWorld({ seed, nodes: 20 })
    planFaults(world, profile)
    let downMost = 0
    world.addCheck({
      claim: 'it is counted',
      everyMs: 50,
      atInterval: it => {
        downMost = Math.max(downMost, it.nodes.filter(node => node.status !== 'up').length)
        return null
      },
    })
    // Nodes start within the first second, so what is not up from then on is a fault's doing.
    world.run(1_000)
    downMost = 0
    world.run(60_001)
    t.true(downMost >= 1 && downMost <= 6, `seed ${seed}: ${downMost} down at once`)
    for (const node of world.nodes) {
      t.is(node.status, 'up')
      t.true(world.isConnected(node, 0))
      t.is(node.disk.slowness, 1)
    }
    t.is(world.paths.lossRate, 0)
    t.is(world.paths.latencyMs, 0.3)
    t.true(world.lastFaultAtMs <= 60_000)
  }
})

test('no fault begins before its time or lasts beyond it', t => {
  for (const fault of planFaults(toyWorld({ seed: 9, nodes: 10 }), profile)) {
    t.true(fault.atMs >= profile.fromMs)
    t.true(fault.untilMs <= profile.untilMs)
    t.true(fault.untilMs > fault.atMs)
  }
})
