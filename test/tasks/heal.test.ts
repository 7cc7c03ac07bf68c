// What a healed split costs: how much is said of each task that ran on both sides, and
// that none is ever without an owner meanwhile, however slowly the nodes meet again.

import test from 'ava'
import type { NodeId } from '../../src/core/ids.js'
import type { CopyId } from '../../src/core/step.js'
import { atRest } from './at-rest.js'
import { createWorld, type Told, task, type World } from './engine-world.js'

const NODES = 20
const TASKS = 60

const names = Array.from({ length: TASKS }, (_, i) => `t${i}`)

/** A mesh that was cut into 12 and 8 for long enough, about to heal. */
const cut = (seed: number, meetMs: number): World => {
  const world = createWorld({ seed, nodes: NODES, silent: true, gathers: true, meetMs })
  world.advance(2_000)
  for (const name of names) world.put(world.rng.pick(world.ids), task(name))
  world.advance(3_000)
  const mixed = world.rng.shuffle(world.ids)
  world.partition([mixed.slice(0, 12), mixed.slice(12)])
  world.advance(8_000)
  return world
}

const countOf = ({ events }: Told): number => [...events.values()].reduce((sum, count) => sum + count, 0)

for (const meetMs of [200, 2_000, 8_000])
  test(`of a task that ran on both sides little is said, when any two meet again within ${meetMs} ms`, t => {
    const world = cut(1, meetMs)
    t.true(names.every(name => world.running(name).length === 2))
    const started = world.starts.length
    const [events, broadcasts] = [countOf(world.told), world.told.broadcasts]
    world.heal()
    for (let ms = 0; ms < meetMs + 4_000; ms += 20) {
      world.advance(20)
      for (const name of names) if (world.running(name).length === 0) t.fail(`${name} is nowhere at ${ms} ms`)
    }
    t.deepEqual([...world.violations, ...atRest(world)], [])
    t.is(world.starts.length, started, 'who remains is not started anew')
    // Who remains says that it does, the other that it does not: some of these in two words.
    const perTask = (countOf(world.told) - events) / TASKS
    t.true(perTask <= 2.5, `${perTask} claims a task`)
    // 17 and 64 claims a task in 316 and 1,225 broadcasts (of 200 tasks) when each side outbid and
    // removed what the other claimed until the two had met.
    t.true(world.told.broadcasts - broadcasts <= 6 * NODES + 10, `${world.told.broadcasts - broadcasts}`)
  })

test('no connection is opened to members that are back from a split for the sake of what they run already', t => {
  const world = createWorld({ seed: 3, nodes: 8, strangers: true, gathers: true })
  for (const name of names) world.put(world.ids[0] as NodeId, task(name))
  world.advance(3_000)
  world.partition([world.ids.slice(0, 5), world.ids.slice(5)])
  world.advance(8_000)
  t.true(names.every(name => world.running(name).length === 2))
  const before = world.told.ways
  world.heal()
  world.advance(5_000)
  t.is(world.told.ways, before)
  t.deepEqual([...world.violations, ...atRest(world)], [])
  const [some] = world.ids as [NodeId]
  world.change(some, { draining: true })
  world.advance(20_000)
  t.true(world.told.ways > before, 'for a planned move it is')
})

test('a node that dies while a split heals is replaced as fast as ever', t => {
  const tookOver = (seed: number, afterMs: number): number => {
    const world = cut(seed, 8_000)
    world.heal()
    world.advance(afterMs)
    // Of what it alone runs.
    const victim = world.ids.find(id => names.some(name => world.running(name).join() === id)) as NodeId
    const orphans = names.filter(name => world.running(name).join() === victim)
    world.kill(victim)
    for (let ms = 1; ms < 5_000; ms++) {
      world.advance(1)
      if (orphans.every(name => world.running(name).length > 0)) return ms
    }
    return Number.POSITIVE_INFINITY
  }
  const median = (afterMs: number): number => {
    const each = [1, 2, 3, 4, 5].map(seed => tookOver(seed, afterMs))
    return each.sort((a, b) => a - b)[2] as number
  }
  const [calm, healing] = [median(30_000), median(1_000)]
  t.true(healing <= calm + 10, `${healing} ms, in a calm mesh ${calm}`)
})

test('a copy that has ended soon says so once, one that takes long says that it stops', t => {
  const world = createWorld({ seed: 4, nodes: 4 })
  const [first] = world.ids as [NodeId]
  for (const name of names) world.put(first, task(name))
  world.advance(1_000)
  const stopping = () => [...world.told.events.keys()].filter(what => what.startsWith('stopping'))
  world.change(world.ids[1] as NodeId, { draining: true })
  world.advance(5_000)
  t.deepEqual(world.running('t0').length, 1)
  t.deepEqual(stopping(), [])
  world.stopMs = 2_000
  world.change(world.ids[2] as NodeId, { draining: true })
  world.advance(1_500)
  const shown = world
    .engine(first)
    .list()
    .flatMap(view => (view.copies as { phase: string }[]).map(copy => copy.phase))
  t.true(shown.includes('stopping'))
  t.deepEqual(stopping(), ['stopping drained'])
})

test('a claim of a member that stays dead is removed at last', t => {
  const world = createWorld({ seed: 6, nodes: 6, gathers: true })
  const [first] = world.ids as [NodeId]
  for (const name of names) world.put(first, task(name))
  world.advance(2_000)
  const [left, right] = [world.ids.slice(0, 3), world.ids.slice(3)]
  world.partition([left, right])
  world.advance(6_000)
  world.heal()
  // They meet, and what each side claimed is known to all; then one side dies.
  world.advance(150)
  for (const id of right) world.kill(id)
  world.advance(30_000)
  const claims = Object.values(world.state(first, 'shoal.claims')) as { epoch: string; phase: string }[]
  t.is(claims.length, TASKS)
  t.true(claims.every(({ epoch, phase }) => phase === 'running' && left.some(id => epoch.endsWith(id))))
  t.deepEqual(world.violations, [])
})

for (const savesAgain of [true, false])
  test(`after a split who takes over goes on from what the last owner saved, ${savesAgain ? 'since' : 'before'} the two met`, t => {
    for (let seed = 1; seed <= 20; seed++) {
      const world = createWorld({ seed, nodes: 5 })
      const [first] = world.ids as [NodeId]
      const save = (node: NodeId, checkpoint: string): void => {
        const copy = world.starts.findLast(start => start.node === node)?.copy as CopyId
        const request = world.request()
        world.ask(node, { kind: 'copySaved', copy, checkpoint, request })
        world.advance(100)
        t.is(world.reply(node, request), null)
      }
      world.put(first, task('poll'))
      world.advance(500)
      const mixed = world.rng.shuffle(world.ids)
      world.partition([mixed.slice(0, 2), mixed.slice(2)])
      world.advance(5_000)
      const both = world.running('poll')
      t.is(both.length, 2)
      for (const node of both) for (const count of [1, 2, 3]) save(node, `${node} ${count}`)
      world.heal()
      world.advance(10_000)
      const [owner] = world.running('poll') as [NodeId]
      t.true(both.includes(owner))
      if (savesAgain) save(owner, `${owner} 4`)
      world.kill(owner)
      world.advance(1_000)
      t.is(world.starts.at(-1)?.checkpoint, `${owner} ${savesAgain ? 4 : 3}`, `seed ${seed}`)
      t.deepEqual(world.violations, [])
    }
  })
