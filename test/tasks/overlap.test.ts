// A task with `overlap` is never uncovered by a planned move, and loses nothing that it saved.

import test from 'ava'
import type { NodeId } from '../../src/core/ids.js'
import type { CopyId } from '../../src/core/step.js'
import { ownerOf } from './checkpoint-world.js'
import { createWorld, task, type World, type WorldOptions } from './engine-world.js'

const start = (options: WorldOptions): World => {
  const world = createWorld(options)
  world.put(world.ids[0] as NodeId, task('poll', { overlap: true }))
  world.advance(1_000)
  return world
}

interface Move {
  readonly lastAcknowledged: number
  readonly fenced: number
  readonly begunWith: unknown
  readonly isCovered: boolean
}

/** The owner is drained and saves at every moment, for as long as its copy runs. */
const move = (world: World, ms: number): Move => {
  const owner = ownerOf(world)
  const copy = world.starts.findLast(({ node }) => node === owner)?.copy as CopyId
  const requests: number[] = []
  let isCovered = true
  world.advance(200)
  for (let step = 0; step < ms; step++) {
    if (step === 20) world.change(owner, { draining: true })
    if (world.running('poll').includes(owner)) {
      const request = world.request()
      requests.push(request)
      world.ask(owner, { kind: 'copySaved', copy, checkpoint: requests.length, request })
    }
    world.advance(1)
    if (world.running('poll').length === 0) isCovered = false
  }
  const replies = requests.map(request => world.reply(owner, request))
  const next = world.starts.findLast(({ node }) => node !== owner)
  return {
    lastAcknowledged: 1 + replies.lastIndexOf(null),
    fenced: replies.filter(reply => (reply as { refused?: string } | null)?.refused === 'FENCED').length,
    begunWith: next?.checkpoint,
    isCovered: isCovered && ownerOf(world) === next?.node,
  }
}

test('the next copy begins with all that was acknowledged to the one before, which still runs', t => {
  for (let seed = 1; seed <= 40; seed++) {
    const world = start({ seed, nodes: 4, gathers: seed % 2 === 0 })
    const { lastAcknowledged, begunWith, isCovered, fenced } = move(world, 1_000)
    t.true(lastAcknowledged > 20, `seed ${seed}`)
    t.is(begunWith, lastAcknowledged, `seed ${seed}`)
    t.true(isCovered, `seed ${seed}`)
    t.true(fenced > 0, `seed ${seed}: what comes too late is refused`)
    t.deepEqual(world.violations, [])
  }
})

test('a last owner that is not to be reached is waited for a second, and runs on meanwhile', t => {
  const world = start({ seed: 1, nodes: 4, strangers: true })
  const { isCovered } = move(world, 3_000)
  t.true(isCovered)
})

test('a last owner that dies before it has answered is not waited for', t => {
  const world = start({ seed: 2, nodes: 4, strangers: true })
  const owner = ownerOf(world)
  world.change(owner, { draining: true })
  world.advance(150)
  t.deepEqual(world.running('poll'), [owner])
  world.kill(owner)
  world.advance(100)
  t.not(ownerOf(world), owner)
})

test('a copy that is wanted elsewhere while it waits for that word goes without a trace', t => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = start({ seed, nodes: 4, strangers: true })
    const owner = ownerOf(world)
    world.change(owner, { draining: true })
    world.advance(150)
    world.change(owner, { draining: false })
    world.advance(5_000)
    t.is(ownerOf(world), owner, `seed ${seed}`)
    t.is(world.starts.length, 1, `seed ${seed}`)
    t.deepEqual(world.violations, [])
  }
})
