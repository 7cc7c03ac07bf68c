// Where a task ran on both sides of a split, placement decides which copy remains, and what
// that one goes on from is what the next one begins with: whatever the other side saved.

import test from 'ava'
import { type NodeId, taskId } from '../../src/core/ids.js'
import { begunWith, ownerOf, PUBLISHED_MS, replace, save, start } from './checkpoint-world.js'
import type { World } from './engine-world.js'

/** How long claims of the dead are left alone after a heal, and a while. */
const SETTLED_MS = 12_000

interface Split {
  readonly world: World
  /** Alone on its side, and whom placement names once the split has healed. */
  readonly lonely: NodeId
  readonly other: NodeId
}

/** The owner is cut off, saves 8 upon the 7 that everybody knows, and begins anew with that, saving nothing more. */
const splitAndBeginAnew = (seed: number): Split => {
  const world = start({ seed, nodes: 5 })
  const lonely = ownerOf(world)
  save(world, lonely, 7)
  world.advance(PUBLISHED_MS)
  world.partition([[lonely], world.ids.filter(id => id !== lonely)])
  world.advance(4_000)
  const other = world.running('poll').find(id => id !== lonely) as NodeId
  save(world, lonely, 8)
  world.kill(lonely)
  world.advance(100)
  world.restart(lonely)
  world.advance(4_000)
  return { world, lonely, other }
}

for (const seed of [1, 2, 3, 4, 5])
  test(`who gives way and saved nothing does not put what it had begun with over what is newer, seed ${seed}`, t => {
    const { world, lonely } = splitAndBeginAnew(seed)
    t.is(begunWith(world), 8)
    world.heal()
    world.advance(SETTLED_MS)
    t.is(ownerOf(world), lonely)
    replace(world)
    t.is(begunWith(world), 8)
  })

for (const seed of [1, 2, 3, 4, 5])
  test(`what the copy that remains had begun with is not lost to what the other side saved, seed ${seed}`, t => {
    const { world, lonely, other } = splitAndBeginAnew(seed)
    save(world, other, 1)
    world.heal()
    world.advance(SETTLED_MS)
    t.is(ownerOf(world), lonely)
    replace(world)
    t.is(begunWith(world), 8)
  })

test('of two copies with equal numbers the one that remains keeps what it had begun with', t => {
  // Number and node of the other's checkpoint are below the claim of the one that remains, so no claim is renewed.
  for (let seed = 1; seed <= 40; seed++) {
    const { world, lonely, other } = splitAndBeginAnew(seed)
    save(world, other, 1)
    world.heal()
    world.ask(lonely, { kind: 'taskRestart', task: taskId('poll'), request: world.request() })
    world.advance(SETTLED_MS)
    const remains = ownerOf(world)
    const begun = world.starts.findLast(({ node }) => node === remains)?.checkpoint
    world.advance(PUBLISHED_MS)
    replace(world)
    t.is(begunWith(world), begun as number, `seed ${seed}: ${remains} remained`)
  }
})
