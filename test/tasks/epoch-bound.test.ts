// One member's number, by mistake or malice, must not push the others' beyond what anybody reads.

import test from 'ava'
import type { NodeId } from '../../src/core/ids.js'
import { isPlausible, parseEpoch } from '../../src/core/tasks/claim.js'
import { atRest } from './at-rest.js'
import { begunWith, ownerOf, replace, save, start } from './checkpoint-world.js'
import type { World } from './engine-world.js'

const HUGE = 999_999_999_999_999
/** Of the worlds' clocks at their start. */
const WALL = 1_790_000_000_000

/** Whoever runs the task is killed, again and again: each time another takes over, with what was saved. */
const isAlive = (t: import('ava').ExecutionContext, world: World): void => {
  for (let i = 1; i <= 4; i++) {
    const owner = ownerOf(world)
    save(world, owner, i)
    t.not(replace(world), owner)
    t.is(begunWith(world), i)
    world.restart(owner)
    world.advance(3_000)
  }
  world.advance(20_000)
  t.deepEqual(atRest(world), [])
  for (const { copy } of world.starts) t.not(parseEpoch(copy.epoch), null, copy.epoch)
  t.deepEqual(world.violations, [])
}

const claimOf = (number: number, node: NodeId) => ({
  task: 'poll',
  slot: 0,
  epoch: `${number}-${node}`,
  phase: 'stopped',
  cause: 'drained',
})

for (const [what, number] of [
  ['near the largest that is read', HUGE],
  ['at the bound of what is believed', 1_000_000_000_000 + WALL + 1_000],
] as const) {
  test(`a claim numbered ${what} does not stop its task`, t => {
    const world = start({ seed: 1, nodes: 4 })
    const insider = world.ids.find(id => id !== ownerOf(world)) as NodeId
    world.forge(insider, 'shoal.claims', `poll/0/${insider}`, claimOf(number, insider))
    world.advance(2_000)
    isAlive(t, world)
  })

  test(`a hand-over numbered ${what} does not stop its task`, t => {
    const world = start({ seed: 2, nodes: 4 })
    const insider = world.ids.find(id => id !== ownerOf(world)) as NodeId
    for (const id of world.ids)
      if (id !== insider)
        world.ask(id, {
          kind: 'message',
          from: insider,
          channel: 'link',
          bytes: 0,
          message: {
            kind: 'handover',
            task: 'poll' as never,
            slot: 0,
            epoch: `${number}-${insider}`,
            cause: 'drained',
            covered: null,
            saved: null,
          },
        })
    world.advance(2_000)
    isAlive(t, world)
  })

  test(`a checkpoint numbered ${what} does not stop its task, nor is it begun with`, t => {
    const world = start({ seed: 3, nodes: 4 })
    const insider = world.ids.find(id => id !== ownerOf(world)) as NodeId
    save(world, ownerOf(world), 0)
    const epoch = `${number}-${insider}`
    world.forge(insider, 'shoal.checkpoints', 'poll/0', { epoch, sequence: 1, checkpoint: 'forged' })
    world.advance(2_000)
    isAlive(t, world)
  })
}

test('a result numbered near the largest that is read does not stop the job that is restarted', t => {
  const world = start({ seed: 4, nodes: 4 })
  const epoch = `${HUGE}-${world.ids[0]}`
  world.forge(world.ids[0] as NodeId, 'shoal.results', 'poll', {
    execution: 1,
    epoch,
    node: world.ids[0] as NodeId,
    at: 0,
    error: null,
    result: null,
  })
  world.advance(1_000)
  isAlive(t, world)
})

test('what hand-overs can have led to is believed, with any clock', t => {
  t.true(isPlausible(1_790_000_123, 0))
  t.true(isPlausible(1_790_000_123, WALL))
  t.true(isPlausible(1, -5))
  t.false(isPlausible(HUGE, WALL))
  // Whoever stands at the bound leaves a thousand numbers for the next second.
  t.false(isPlausible(1_000_000_000_000 + WALL + 1, WALL))
  t.true(isPlausible(1_000_000_000_000 + WALL + 1_000, WALL + 1_000))
})
