// Random faults over the real engine: seeds are printed, and a failing one is
// replayed with SEED=<n> npx ava dist/test/tasks/engine-random.test.js

import test from 'ava'
import type { NodeId } from '../../src/core/ids.js'
import type { TaskSpec } from '../../src/core/tasks/spec.js'
import { atRest } from './at-rest.js'
import { createWorld, task, type World } from './engine-world.js'

const SEED = process.env.SEED === undefined ? null : Number(process.env.SEED)
const seeds = (from: number, count: number): number[] =>
  SEED === null ? Array.from({ length: count }, (_, i) => from + i) : [SEED]

const specs = (): TaskSpec[] => [
  task('a'),
  task('b', { replicas: 2 }),
  task('c', { replicas: 'all' }),
  task('d', { overlap: true }),
  task('e', { weight: 3 }),
  task('f', { needs: { zone: 'x' } }),
  task('tick', { when: { every: '500ms' } }),
  task('tock', { when: { every: '1s' } }),
  task('job', { when: 'once' }),
]

const play = (seed: number, splits: boolean, gathers = false): World => {
  const world = createWorld({ seed, nodes: 5, gathers })
  const { rng, ids } = world
  const up = (): NodeId[] => ids.filter(id => world.isUp(id))
  world.behave = spec =>
    spec.when === 'always'
      ? rng.below(4) === 0
        ? { afterMs: 200 + rng.below(3_000), error: 'boom' }
        : null
      : {
          afterMs: 5 + rng.below(spec.when === 'once' ? 2_000 : 700),
          error: rng.below(5) === 0 ? 'bad' : null,
        }
  for (const id of ids.slice(0, 3)) world.change(id, { labels: { zone: 'x' } })
  for (const spec of specs()) world.put(rng.pick(ids), spec)
  world.advance(rng.below(1_000))
  let split = false
  for (let step = 0; step < 40; step++) {
    const node = rng.pick(up())
    switch (rng.below(13)) {
      case 0:
      case 1:
        if (up().length > 1) world.kill(node, rng.below(2) === 0 ? 40 : 3_000)
        break
      case 2:
      case 3:
      case 4: {
        const down = ids.filter(id => !world.isUp(id))
        if (down.length > 0) world.restart(rng.pick(down), rng.below(2) * 2_000)
        break
      }
      case 5:
        world.change(node, { draining: rng.below(2) === 0 })
        break
      case 6:
        if (splits && !split) {
          const cut = 1 + rng.below(ids.length - 1)
          const mixed = rng.shuffle(ids)
          world.partition([mixed.slice(0, cut), mixed.slice(cut)])
        } else if (split) world.heal()
        split = splits && !split
        break
      case 7:
        world.put(node, { ...rng.pick(specs()), input: rng.below(3) })
        break
      case 8:
        world.put(node, { ...task('b'), replicas: rng.below(4) })
        break
      case 9:
        world.ask(node, { kind: 'taskRestart', task: rng.pick(specs()).id, request: world.request() })
        break
      case 10:
        world.ask(node, { kind: 'taskDelete', task: rng.pick(specs()).id, request: world.request() })
        break
      case 12:
        world.freeze(node, 100 + rng.below(6_000))
        break
      case 11: {
        const copy = world.starts.findLast(start => start.node === node)?.copy
        if (copy !== undefined)
          world.ask(node, { kind: 'copySaved', copy, checkpoint: step, request: world.request() })
      }
    }
    world.advance(rng.below(3) === 0 ? rng.below(4_000) : rng.below(60))
  }
  // The faults end.
  if (split) world.heal()
  for (const id of ids) if (!world.isUp(id)) world.restart(id)
  world.behave = spec => (spec.when === 'always' ? null : { afterMs: 20, error: null })
  world.advance(10_000)
  for (const id of ids) world.change(id, { draining: false, settled: true })
  world.advance(120_000)
  return world
}

for (const splits of [false, true])
  test(`random faults ${splits ? 'with' : 'without'} partitions: no epoch twice, and at the end exactly the copies that placement names`, t => {
    const drawn = seeds(splits ? 1_000 : 0, 25)
    t.log(`seeds ${drawn[0]} to ${drawn.at(-1)}`)
    for (const seed of drawn) {
      const world = play(seed, splits)
      t.deepEqual(world.violations, [], `SEED=${seed}`)
      t.deepEqual(atRest(world), [], `SEED=${seed}`)
    }
  })

test('the same where nodes gather what they write and what they hear', t => {
  const drawn = seeds(2_000, 20)
  t.log(`seeds ${drawn[0]} to ${drawn.at(-1)}`)
  for (const seed of drawn) {
    const world = play(seed, seed % 2 === 1, true)
    t.deepEqual(world.violations, [], `SEED=${seed}`)
    t.deepEqual(atRest(world), [], `SEED=${seed}`)
  }
})

test('seeds that once found something', t => {
  // 20046: a drain switched on and off within a hand-over let two nodes run one period.
  // 20235: after a split two owners with `overlap` waited for each other for ever.
  // 18: a node that was frozen ran a period at once on waking. 3191: all nodes became eligible at one moment.
  for (const seed of [18, 3_191, 20_046, 20_235]) {
    const world = play(seed, seed % 2 === 1)
    t.deepEqual(world.violations, [], `SEED=${seed}`)
    t.deepEqual(atRest(world), [], `SEED=${seed}`)
  }
})
