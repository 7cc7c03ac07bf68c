// What was saved is what the next copy begins with, whoever that is: also where the next
// in rank changes, shared state is late, or who saved it is long gone.

import test from 'ava'
import type { NodeId } from '../../src/core/ids.js'
import { begunWith, ownerOf, PUBLISHED_MS, replace, save, start } from './checkpoint-world.js'
import { createWorld, task } from './engine-world.js'

for (const seed of [1, 2, 3, 4, 5])
  test(`whoever has become next in rank is told what shared state does not have yet, seed ${seed}`, t => {
    const world = start({ seed, nodes: 5 })
    const owner = ownerOf(world)
    const heir = replace(start({ seed, nodes: 5 }))
    world.change(heir, { draining: true })
    world.advance(500)
    save(world, owner, 7)
    world.change(heir, { draining: false })
    world.advance(500)
    t.is(replace(world), heir)
    t.is(begunWith(world), 7)
  })

for (const seed of [1, 2, 3, 4, 5])
  test(`a new life of the next in rank is told what its earlier life had heard, seed ${seed}`, t => {
    const world = start({ seed, nodes: 5 })
    const heir = replace(start({ seed, nodes: 5 }))
    save(world, ownerOf(world), 7)
    world.kill(heir)
    world.advance(500)
    world.restart(heir)
    world.advance(1_000)
    t.is(replace(world), heir)
    t.is(begunWith(world), 7)
  })

for (const seed of [1, 2, 3, 4, 5])
  test(`what a copy began with is not lost with it, though it saved nothing itself, seed ${seed}`, t => {
    const world = start({ seed, nodes: 5 })
    save(world, ownerOf(world), 7)
    const heir = replace(world)
    t.is(begunWith(world), 7)
    world.advance(PUBLISHED_MS)
    // All that the others hold in memory alone goes, one after the other.
    for (const id of world.ids) {
      if (id === heir || !world.isUp(id)) continue
      world.kill(id)
      world.advance(500)
      world.restart(id)
      world.advance(2_000)
    }
    t.is(ownerOf(world), heir)
    replace(world)
    t.is(begunWith(world), 7)
  })

for (const seed of [1, 2, 3, 4, 5])
  test(`what one side of a split saved later is not put over what the other side goes on from, seed ${seed}`, t => {
    const world = start({ seed, nodes: 5 })
    const lonely = ownerOf(world)
    world.partition([[lonely], world.ids.filter(id => id !== lonely)])
    world.advance(4_000)
    // It is back, and not settled for a while: the other side's copy remains, under the higher number.
    const other = world.running('poll').find(id => id !== lonely) as NodeId
    save(world, other, 7)
    world.advance(2_000)
    save(world, lonely, 1)
    world.advance(PUBLISHED_MS)
    world.change(lonely, { settled: false })
    world.heal()
    world.advance(PUBLISHED_MS)
    t.is(ownerOf(world), other)
    replace(world)
    t.is(begunWith(world), 7)
  })

for (const seed of [1, 2, 3, 4, 5, 6, 7, 8])
  test(`what is saved counts more than what was saved under a claim that nobody has heard of, seed ${seed}`, t => {
    const world = start({ seed, nodes: 4, lateSpaces: { 'shoal.claims': 60_000 } })
    save(world, ownerOf(world), 7)
    save(world, replace(world), 8)
    replace(world)
    t.is(begunWith(world), 8)
  })

for (const seed of [1, 2, 3, 4, 5])
  test(`who is handed a copy gets what it began with, though shared state is late, seed ${seed}`, t => {
    const world = start({ seed, nodes: 5, lateSpaces: { 'shoal.checkpoints': 3_000 } })
    const heir = replace(start({ seed, nodes: 5 }))
    // While it is cut off the others have the checkpoint from shared state alone, and lose who saved it.
    world.change(heir, { settled: false })
    world.advance(500)
    world.partition([[heir], world.ids.filter(id => id !== heir)])
    world.advance(4_000)
    save(world, ownerOf(world), 7)
    world.advance(PUBLISHED_MS + 3_000)
    t.not(replace(world), heir)
    t.is(begunWith(world), 7)
    world.heal()
    world.advance(500)
    world.change(heir, { settled: true })
    world.advance(1_800)
    t.is(ownerOf(world), heir)
    t.is(begunWith(world), 7)
  })

test('a copy that is to give way and saves once more does not forget what it was told by the one that remains', t => {
  for (let seed = 1; seed <= 5; seed++) {
    const world = start({ seed, nodes: 2, lateSpaces: { 'shoal.claims': 300 } })
    const owner = ownerOf(world)
    const other = world.ids.find(id => id !== owner) as NodeId
    save(world, owner, 7)
    world.freeze(owner, 5_000)
    world.advance(4_000)
    t.deepEqual(world.running('poll'), world.ids.toSorted(), 'the other has taken over')
    // It wakes, goes on above the other's number and says so; the other has not heard its claim yet.
    world.advance(1_100)
    save(world, other, 1)
    world.advance(2_000)
    t.is(ownerOf(world), owner)
    replace(world)
    t.is(begunWith(world), 7, `seed ${seed}`)
  }
})

for (const isSpread of [false, true])
  test(`where members are full${isSpread ? ' and copies are spread' : ''}, whoever has room for it begins with what was saved`, t => {
    let moved = 0
    for (let seed = 1; seed <= 30; seed++) {
      const world = createWorld({ seed, nodes: 6 })
      world.ids.forEach((id, i) => {
        world.change(id, { capacity: 4, labels: { zone: `hall-${i % 3}` } })
      })
      world.advance(500)
      for (let i = 0; i < (isSpread ? 8 : 18); i++)
        world.put(world.ids[0] as NodeId, task(`t${i}`, isSpread ? { replicas: 2, spread: 'zone' } : {}))
      world.advance(2_000)
      const victim = world.rng.pick(world.ids.slice(1))
      const held = world.starts.filter(
        ({ node, copy }) => node === victim && world.running(copy.task, copy.slot).includes(victim),
      )
      for (const { copy } of held)
        world.ask(victim, { kind: 'copySaved', copy, checkpoint: copy.task, request: world.request() })
      world.advance(200)
      const before = world.starts.length
      world.kill(victim)
      world.advance(3_000)
      for (const { copy } of held) {
        const next = world.starts
          .slice(before)
          .find(start => start.copy.task === copy.task && start.copy.slot === copy.slot)
        t.is(next?.checkpoint, copy.task, `seed ${seed}: ${copy.task}`)
        moved++
      }
    }
    t.true(moved > 50)
  })

for (const isFull of [false, true])
  for (const isSpread of [false, true])
    test(`two deaths at once lose nothing that was saved${isFull ? ', on full members' : ''}${isSpread ? ', with copies spread' : ''}`, t => {
      let moved = 0
      for (let seed = 1; seed <= 30; seed++) {
        const world = createWorld({ seed, nodes: 7 })
        world.ids.forEach((id, i) => {
          world.change(id, { capacity: isFull ? 4 : null, labels: { zone: `hall-${i % 3}` } })
        })
        world.advance(500)
        for (let i = 0; i < (isSpread ? 8 : 18); i++)
          world.put(world.ids[0] as NodeId, task(`t${i}`, isSpread ? { replicas: 2, spread: 'zone' } : {}))
        world.advance(2_000)
        const victim = world.rng.pick(world.ids)
        const copy = world.starts.find(
          start => start.node === victim && world.running(start.copy.task, start.copy.slot).includes(victim),
        )?.copy
        if (copy === undefined) continue
        world.ask(victim, { kind: 'copySaved', copy, checkpoint: 7, request: world.request() })
        world.advance(200)
        const { moves } = world.engine(victim).plan([victim])
        const heir = moves.find(move => move.task === copy.task && move.slot === copy.slot)?.to ?? null
        const before = world.starts.length
        world.kill(victim)
        if (heir !== null) world.kill(heir)
        world.advance(3_000)
        const next = world.starts
          .slice(before)
          .find(start => start.copy.task === copy.task && start.copy.slot === copy.slot)
        if (next === undefined) continue
        t.is(next.checkpoint, 7, `seed ${seed}`)
        moved++
      }
      t.true(moved > 20)
    })

test('who took over tells those who are next then, before shared state has it', t => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = createWorld({ seed, nodes: 7 })
    for (const id of world.ids) world.change(id, { capacity: 4 })
    world.advance(500)
    for (let i = 0; i < 18; i++) world.put(world.ids[0] as NodeId, task(`t${i}`))
    world.advance(2_000)
    const first = world.running('t0')[0] as NodeId
    const copy = world.starts.findLast(start => start.node === first && start.copy.task === 't0')?.copy
    world.ask(first, { kind: 'copySaved', copy: copy as never, checkpoint: 7, request: world.request() })
    world.advance(200)
    for (let deaths = 0; deaths < 3; deaths++) {
      const owner = world.running('t0')[0]
      if (owner === undefined) break
      t.is(deaths === 0 ? 7 : world.starts.findLast(start => start.copy.task === 't0')?.checkpoint, 7)
      world.kill(owner)
      world.advance(600)
    }
  }
})

test('where room is short, a task that takes the room of who was next is no loss to what was saved', t => {
  let changed = 0
  for (let seed = 1; seed <= 60; seed++) {
    const world = createWorld({ seed, nodes: 6 })
    for (const id of world.ids) world.change(id, { capacity: 3 })
    world.advance(500)
    for (let i = 0; i < 10; i++) world.put(world.ids[0] as NodeId, task(`t${i}`))
    world.advance(2_000)
    const victim = world.rng.pick(world.ids.slice(1))
    const held = world.starts.filter(
      ({ node, copy }) => node === victim && world.running(copy.task).includes(victim),
    )
    for (const { copy } of held)
      world.ask(victim, { kind: 'copySaved', copy, checkpoint: copy.task, request: world.request() })
    world.advance(200)
    for (let i = 10; i < 14; i++) world.put(world.ids[0] as NodeId, task(`t${i}`))
    world.advance(1_000)
    const still = held.filter(({ copy }) => world.running(copy.task).includes(victim))
    const before = world.starts.length
    world.kill(victim)
    world.advance(3_000)
    for (const { copy } of still) {
      const next = world.starts.slice(before).find(start => start.copy.task === copy.task)
      if (next === undefined) continue
      t.is(next.checkpoint, copy.task, `seed ${seed}: ${copy.task}`)
      changed++
    }
  }
  t.true(changed > 50)
})
