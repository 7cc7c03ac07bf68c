import test from 'ava'
import type { NodeId } from '../../src/core/ids.js'
import { taskId } from '../../src/core/ids.js'
import { ENGINE_DEFAULTS } from '../../src/core/tasks/engine-config.js'
import { createWorld, task, type World } from './engine-world.js'

const ownerOf = (world: World, name: string, slot = 0): NodeId => {
  const running = world.running(name, slot)
  if (running.length !== 1) throw new Error(`${name} runs on ${running.length} nodes: ${running}`)
  return running[0] as NodeId
}
const others = (world: World, node: NodeId): NodeId[] => world.ids.filter(id => id !== node && world.isUp(id))
const copiesAt = (world: World, node: NodeId, name: string) =>
  (
    world.engine(node).get(taskId(name)) as {
      copies?: {
        phase: string
        node: string | null
        reason: string | null
        epoch: string
        restarts: number
        lastError: string | null
      }[]
    } | null
  )?.copies ?? []

test('an applied task runs on exactly one node, and every node shows it there', t => {
  const world = createWorld({ seed: 1, nodes: 5 })
  const [first] = world.ids as [NodeId]
  const request = world.put(first, task('poll'))
  world.advance(500)
  t.like(world.reply(first, request), { id: 'poll', revision: 1 })
  const owner = ownerOf(world, 'poll')
  for (const id of world.ids) t.like(copiesAt(world, id, 'poll'), [{ phase: 'running', node: owner }])
  t.deepEqual(world.violations, [])
})

test('when the owner dies another takes over, with the checkpoint that it had saved', t => {
  const world = createWorld({ seed: 2, nodes: 5 })
  world.put(world.ids[0] as NodeId, task('poll'))
  world.advance(500)
  const owner = ownerOf(world, 'poll')
  const copy = world.starts[0]?.copy
  const request = world.request()
  world.ask(owner, { kind: 'copySaved', copy: copy as never, checkpoint: { line: 7 }, request })
  world.advance(100)
  t.is(world.reply(owner, request), null)
  world.kill(owner)
  world.advance(200)
  const next = ownerOf(world, 'poll')
  t.not(next, owner)
  t.deepEqual(world.starts.at(-1)?.checkpoint, { line: 7 })
  world.advance(1_000)
  for (const id of others(world, owner)) {
    t.like(
      world.events(id).findLast(({ kind }) => kind === 'task.moved'),
      { from: owner, to: next, cause: 'died' },
    )
    t.deepEqual(Object.keys(world.state(id, 'shoal.claims')), [`poll/0/${next}`])
  }
  t.deepEqual(world.violations, [])
})

test('an heir whose word comes by gossip alone waits for the last checkpoint, which may be later', t => {
  for (const seed of [40, 41, 42]) {
    const lateSpaces = { 'shoal.checkpoints': 500 }
    const world = createWorld({ seed, nodes: 4, strangers: true, lateSpaces })
    world.put(world.ids[0] as NodeId, task('poll'))
    world.advance(500)
    const owner = ownerOf(world, 'poll')
    const copy = world.starts[0]?.copy as never
    world.ask(owner, { kind: 'copySaved', copy, checkpoint: { line: 7 }, request: world.request() })
    world.advance(100)
    world.change(owner, { draining: true })
    world.advance(1_000)
    t.not(ownerOf(world, 'poll'), owner, `seed ${seed}`)
    t.deepEqual(world.starts.at(-1)?.checkpoint, { line: 7 }, `seed ${seed}`)
    t.deepEqual(world.violations, [])
  }
})

test('what a copy saved is waited for while its node is up, and a second longer once it is not', t => {
  for (const dies of [false, true]) {
    const lateSpaces = { 'shoal.checkpoints': 60_000 }
    const world = createWorld({ seed: 43, nodes: 4, strangers: true, lateSpaces })
    world.put(world.ids[0] as NodeId, task('poll'))
    world.advance(500)
    const owner = ownerOf(world, 'poll')
    const copy = world.starts[0]?.copy as never
    world.ask(owner, { kind: 'copySaved', copy, checkpoint: 1, request: world.request() })
    world.advance(100)
    world.change(owner, { draining: true })
    world.advance(dies ? 2_000 : 9_500)
    t.deepEqual(world.running('poll'), [], 'it is on its way')
    if (dies) world.kill(owner)
    world.advance(dies ? 2_000 : 1_000)
    t.not(ownerOf(world, 'poll'), owner)
  }
})

test('a newcomer that hears of copies before it hears of their task takes nothing of theirs away', t => {
  for (const lateSpaces of [{ 'shoal.tasks': 2_000 }, { 'shoal.tasks': 2_000, 'shoal.claims': 200 }]) {
    const world = createWorld({ seed: 44, nodes: 2, lateSpaces })
    const [first, second] = world.ids as [NodeId, NodeId]
    world.kill(second)
    world.advance(1_000)
    world.put(first, task('poll'))
    world.advance(500)
    const copy = world.starts[0]?.copy as never
    world.ask(first, { kind: 'copySaved', copy, checkpoint: { line: 7 }, request: world.request() })
    // In shared state, for everybody to find.
    world.advance(11_000)
    world.restart(second)
    world.advance(1_500)
    t.is(world.engine(second).get(taskId('poll')), null)
    world.advance(2_000)
    for (const id of world.ids)
      t.like(world.state(id, 'shoal.checkpoints'), { 'poll/0': { checkpoint: { line: 7 } } })
    world.change(first, { draining: true })
    world.advance(2_000)
    t.is(ownerOf(world, 'poll'), second)
    t.deepEqual(world.starts.at(-1)?.checkpoint, { line: 7 })
    t.deepEqual(world.violations, [])
  }
})

test('what is handed to a node that has not heard of the task yet is not lost', t => {
  const lateSpaces = { 'shoal.tasks': 200, 'shoal.checkpoints': 60_000, 'shoal.claims': 60_000 }
  const bootGate = { ...ENGINE_DEFAULTS.bootGate, linkMs: 1_000 }
  const config = { backSettleMs: 100, bootGate }
  const world = createWorld({ seed: 45, nodes: 2, lateSpaces, config })
  const [first, second] = world.ids as [NodeId, NodeId]
  world.kill(second)
  world.advance(1_000)
  for (let i = 0; i < 20; i++) world.put(first, task(`t${i}`))
  world.advance(500)
  for (const { copy } of world.starts)
    world.ask(first, { kind: 'copySaved', copy, checkpoint: copy.task, request: world.request() })
  world.advance(500)
  const before = world.starts.length
  world.restart(second)
  world.advance(3_000)
  const moved = world.starts.slice(before)
  t.true(moved.length > 3, `${moved.length} of 20 were handed over`)
  for (const { node, copy, checkpoint } of moved) t.deepEqual([node, checkpoint], [second, copy.task])
})

test('a drain hands each task over: the next starts when the last has stopped', t => {
  const world = createWorld({ seed: 3, nodes: 4 })
  for (let i = 0; i < 8; i++) world.put(world.ids[0] as NodeId, task(`t${i}`))
  world.advance(500)
  const owner = ownerOf(world, 't0')
  world.change(owner, { draining: true })
  for (let step = 0; step < 400; step++) {
    world.advance(1)
    t.true(world.running('t0').length <= 1)
  }
  t.is(world.engine(owner).holding, 0)
  const next = ownerOf(world, 't0')
  t.like(
    world.events(next).findLast(e => e.kind === 'task.moved' && e.task === 't0'),
    { from: owner, to: next, cause: 'drained' },
  )
  t.deepEqual(world.violations, [])
})

test('with overlap the next runs before the last has stopped', t => {
  const world = createWorld({ seed: 4, nodes: 4 })
  world.put(world.ids[0] as NodeId, task('t0', { overlap: true }))
  world.advance(500)
  const owner = ownerOf(world, 't0')
  world.change(owner, { draining: true })
  for (let step = 0; step < 400; step++) {
    world.advance(1)
    t.true(world.running('t0').length >= 1)
  }
  t.not(ownerOf(world, 't0'), owner)
})

test('a leaving node is empty before it says goodbye', t => {
  const world = createWorld({ seed: 5, nodes: 3 })
  for (let i = 0; i < 6; i++) world.put(world.ids[0] as NodeId, task(`t${i}`))
  world.advance(500)
  const owner = ownerOf(world, 't0')
  world.ask(owner, { kind: 'leave', request: world.request() })
  world.advance(100)
  t.true(world.engine(owner).holding > 0, 'while the view settles, what is to move runs on')
  world.advance(100)
  t.is(world.engine(owner).holding, 0)
  t.like(
    world.events(owner).findLast(e => e.kind === 'task.stopped'),
    { cause: 'left' },
  )
})

test('both sides of a split run the task; when it heals placement decides who remains, under the highest epoch', t => {
  for (let seed = 10; seed < 20; seed++) {
    const world = createWorld({ seed, nodes: 6 })
    for (let i = 0; i < 6; i++) world.put(world.ids[0] as NodeId, task(`t${i}`))
    world.advance(500)
    world.partition([world.ids.slice(0, 4), world.ids.slice(4)])
    world.advance(5_000)
    for (let i = 0; i < 6; i++) t.is(world.running(`t${i}`).length, 2, `t${i} runs on each side`)
    const before = world.starts.length
    world.heal()
    world.advance(5_000)
    t.is(world.starts.length, before, 'who remains is not restarted')
    for (let i = 0; i < 6; i++) {
      const owner = ownerOf(world, `t${i}`)
      for (const id of world.ids) t.like(copiesAt(world, id, `t${i}`), [{ phase: 'running', node: owner }])
      const numbers = Object.values(
        world.state(owner, 'shoal.claims') as Record<string, { task: string; epoch: string; phase: string }>,
      ).filter(claim => claim.task === `t${i}`)
      t.is(numbers.length, 1, JSON.stringify(numbers))
    }
    t.deepEqual(world.violations, [])
  }
})

test('an owner that restarts faster than its death is noticed takes over from itself under a higher epoch', t => {
  const world = createWorld({ seed: 6, nodes: 3 })
  world.put(world.ids[0] as NodeId, task('poll'))
  world.advance(500)
  const owner = ownerOf(world, 'poll')
  world.kill(owner, 5_000)
  world.advance(20)
  world.restart(owner)
  world.advance(4_000)
  t.is(ownerOf(world, 'poll'), owner)
  t.is(world.starts.length, 2)
  t.deepEqual(world.violations, [])
})

test('an owner that restarts unsettled gives way to the next at once', t => {
  const world = createWorld({ seed: 7, nodes: 3 })
  world.put(world.ids[0] as NodeId, task('poll'))
  world.advance(500)
  const owner = ownerOf(world, 'poll')
  world.kill(owner, 5_000)
  world.advance(20)
  world.restart(owner, 60_000)
  world.advance(600)
  t.not(ownerOf(world, 'poll'), owner)
  t.deepEqual(world.violations, [])
})

test('of a task that two nodes made at the same time the elder counts: its copy and its checkpoint stay', t => {
  for (let seed = 1; seed <= 10; seed++) {
    const world = createWorld({ seed, nodes: 2 })
    const [first, second] = world.ids as [NodeId, NodeId]
    world.partition([[first], [second]])
    world.advance(5_000)
    world.put(first, task('poll'))
    world.advance(700)
    world.put(second, task('poll'))
    world.advance(2_000)
    const copy = world.starts[0]?.copy as never
    world.ask(first, { kind: 'copySaved', copy, checkpoint: 7, request: world.request() })
    world.advance(200)
    world.heal()
    world.advance(10_000)
    const [made, ...others] = world.ids.map(id => world.state(id, 'shoal.tasks'))
    for (const other of others) t.deepEqual(other, made, `seed ${seed}`)
    t.is(world.starts.length, 2, `seed ${seed}: nobody began anew`)
    t.is(world.running('poll').length, 1)
    t.deepEqual(world.violations, [])
  }
})

test('a booting node that remembers others waits three seconds when it meets none', t => {
  const world = createWorld({ seed: 8, nodes: 2 })
  world.put(world.ids[0] as NodeId, task('poll'))
  world.advance(500)
  const [first, second] = world.ids as [NodeId, NodeId]
  world.kill(second)
  world.advance(500)
  world.kill(first)
  world.advance(500)
  world.restart(first)
  world.advance(2_900)
  t.is(world.running('poll').length, 0)
  world.advance(200)
  t.deepEqual(world.running('poll'), [first])
  t.deepEqual(world.violations, [])
})

test('a copy that ends is restarted with a doubling back-off, and the count is shown', t => {
  const world = createWorld({ seed: 9, nodes: 1 })
  world.behave = () => ({ afterMs: 10, error: 'boom' })
  const [first] = world.ids as [NodeId]
  world.put(first, task('poll'))
  world.advance(600)
  t.like(copiesAt(world, first, 'poll'), [{ phase: 'failed', lastError: 'boom', restarts: 1 }])
  world.advance(8_000)
  t.is(world.starts.length, 4)
  t.deepEqual(world.violations, [])
})

test('a changed input restarts the copy, changed replicas do not; a removed task leaves nothing', t => {
  const world = createWorld({ seed: 21, nodes: 3 })
  const [first] = world.ids as [NodeId]
  world.put(first, task('poll'))
  world.advance(500)
  world.put(first, task('poll', { replicas: 2 }))
  world.advance(500)
  t.is(world.starts.length, 2)
  world.put(first, task('poll', { replicas: 2, input: 5 }))
  world.advance(500)
  t.is(world.starts.length, 4)
  t.is(world.running('poll').length, 2)
  t.like(
    world.events(first).findLast(e => e.kind === 'task.applied'),
    { cause: 'changed' },
  )
  world.put(first, task('poll', { replicas: 0, input: 5 }))
  world.advance(500)
  t.is(world.running('poll').length, 0)
  world.put(first, task('poll', { replicas: 1, input: 5 }))
  world.advance(500)
  t.is(world.running('poll').length, 1)
  world.ask(first, { kind: 'taskDelete', task: taskId('poll'), request: world.request() })
  world.advance(2_000)
  t.is(world.running('poll').length, 0)
  for (const id of world.ids) {
    for (const space of ['shoal.tasks', 'shoal.claims', 'shoal.checkpoints'])
      t.deepEqual(world.state(id, space), {}, space)
    t.is(world.engine(id).get(taskId('poll')), null)
  }
  t.deepEqual(world.violations, [])
})

test('a task that was removed and comes back at once goes on above its old epochs', t => {
  const world = createWorld({ seed: 22, nodes: 1 })
  const [first] = world.ids as [NodeId]
  for (let round = 0; round < 10; round++) {
    world.put(first, task('poll'))
    world.advance(40)
    for (let i = 0; i < 3; i++) {
      world.ask(first, { kind: 'taskRestart', task: taskId('poll'), request: world.request() })
      world.advance(60)
    }
    world.ask(first, { kind: 'taskDelete', task: taskId('poll'), request: world.request() })
    world.advance(60)
  }
  t.is(world.starts.length, 40)
  t.deepEqual(world.violations, [])
})

test('a job runs once, its result is shown everywhere, and its claim goes', t => {
  const world = createWorld({ seed: 23, nodes: 4 })
  world.behave = () => ({ afterMs: 50, error: null })
  const [first] = world.ids as [NodeId]
  for (let i = 0; i < 300; i++) world.put(first, task(`job${i}`, { when: 'once' }))
  world.advance(10_000)
  t.is(world.starts.length, 300)
  for (const id of world.ids) {
    t.true(
      world
        .engine(id)
        .list()
        .every(view => (view.result as { ok?: boolean } | undefined)?.ok === true),
    )
    t.deepEqual(world.state(id, 'shoal.claims'), {})
  }
  world.kill(world.ids[1] as NodeId)
  world.advance(5_000)
  t.is(world.starts.length, 300)
  world.ask(first, { kind: 'taskRestart', task: taskId('job7'), request: world.request() })
  world.advance(1_000)
  t.is(world.starts.length, 301)
  t.deepEqual(world.violations, [])
})

test('a job whose owner dies first is run again by another', t => {
  const world = createWorld({ seed: 24, nodes: 4 })
  world.behave = () => ({ afterMs: 500, error: null })
  world.put(world.ids[0] as NodeId, task('job', { when: 'once' }))
  world.advance(200)
  const owner = ownerOf(world, 'job')
  world.kill(owner)
  world.advance(2_000)
  t.is(world.starts.length, 2)
  const [witness] = others(world, owner) as [NodeId]
  t.like(world.engine(witness).get(taskId('job')), { result: { ok: true } })
})

test('a periodic task keeps its rate over drains, no period twice, few missed', t => {
  const world = createWorld({ seed: 25, nodes: 4 })
  world.behave = () => ({ afterMs: 30, error: null })
  world.put(world.ids[0] as NodeId, task('tick', { when: { every: '1s' } }))
  world.advance(3_500)
  for (let round = 0; round < 50; round++) {
    const owner = world.starts.at(-1)?.node as NodeId
    world.change(owner, { draining: true })
    world.advance(950 + world.rng.below(100))
    world.change(owner, { draining: false })
    world.advance(950 + world.rng.below(100))
  }
  const periods = world.starts.map(({ period }) => period as number)
  t.is(new Set(periods).size, periods.length, 'no period was run twice')
  const missed = Math.max(...periods) + 1 - periods.length
  t.true(new Set(world.starts.map(({ node }) => node)).size > 1)
  t.is(missed, 0)
  t.deepEqual(world.violations, [])
})

test('a run that is late is made up for once, never piled up', t => {
  const world = createWorld({ seed: 26, nodes: 1 })
  world.behave = () => ({ afterMs: 2_500, error: null })
  world.put(world.ids[0] as NodeId, task('tick', { when: { every: '1s' } }))
  world.advance(10_400)
  t.deepEqual(
    world.starts.map(({ period }) => period),
    [0, 2, 5, 7, 10],
  )
  t.deepEqual(world.violations, [])
})

test('after a death the next whole period is the first', t => {
  const world = createWorld({ seed: 27, nodes: 3 })
  world.behave = () => ({ afterMs: 10, error: null })
  world.put(world.ids[0] as NodeId, task('tick', { when: { every: '1s' } }))
  world.advance(5_200)
  const owner = world.starts.at(-1)?.node as NodeId
  const last = world.starts.at(-1)?.period as number
  world.kill(owner)
  world.advance(2_000)
  t.is(world.starts.at(-2)?.period, last + 1)
  t.deepEqual(world.violations, [])
})

test('a save of a copy that is no longer the owner’s is fenced', t => {
  const world = createWorld({ seed: 28, nodes: 3 })
  world.put(world.ids[0] as NodeId, task('poll'))
  world.advance(500)
  const owner = ownerOf(world, 'poll')
  const copy = world.starts[0]?.copy as never
  world.change(owner, { draining: true })
  world.advance(300)
  const request = world.request()
  world.ask(owner, { kind: 'copySaved', copy, checkpoint: 1, request })
  t.deepEqual(world.reply(owner, request), { refused: 'FENCED' })
})

test('a task that nobody can run waits, with the reason', t => {
  const world = createWorld({ seed: 29, nodes: 2 })
  const [first] = world.ids as [NodeId]
  world.put(first, task('poll', { needs: { modbus: 'line-3' } }))
  world.advance(300)
  t.like(copiesAt(world, first, 'poll'), [{ phase: 'waiting', node: null }])
  t.truthy(copiesAt(world, first, 'poll')[0]?.reason)
  world.change(first, { labels: { modbus: 'line-3' } })
  world.advance(300)
  t.deepEqual(world.running('poll'), [first])
})

test('availability counts the gap of a death, with its cause', t => {
  const world = createWorld({ seed: 30, nodes: 3 })
  world.put(world.ids[0] as NodeId, task('poll'))
  world.advance(1_000)
  const owner = ownerOf(world, 'poll')
  const [witness] = others(world, owner) as [NodeId]
  world.kill(owner)
  world.advance(9_000)
  const measured = world.engine(witness).availability(world.now).get(taskId('poll'))
  t.is(measured?.totalMs, measured?.totalMs)
  t.true((measured?.share ?? 0) > 0.98 && (measured?.share ?? 1) < 1)
  t.is(measured?.gaps.at(-1)?.cause, 'died')
  t.deepEqual(measured?.overlaps, [])
})

test('an owner that was frozen finds its task taken over, and starts no run before it has heard so', t => {
  const world = createWorld({ seed: 31, nodes: 3 })
  world.behave = () => ({ afterMs: 10, error: null })
  world.put(world.ids[0] as NodeId, task('tick', { when: { every: '1s' } }))
  world.advance(3_300)
  const owner = world.starts.at(-1)?.node as NodeId
  world.freeze(owner, 8_000)
  world.advance(12_000)
  const periods = world.starts.map(({ period }) => period)
  t.is(new Set(periods).size, periods.length, 'no period was run twice')
  t.true(world.starts.some(({ node }) => node !== owner))
  t.deepEqual(world.violations, [])
})

test('of more gaps than are kept the newest stay, each task for itself', t => {
  const gapsOf = (gapsMax: number) => {
    const config = { gapsMax, backOffMinMs: 50, backOffMaxMs: 100 }
    const world = createWorld({ seed: 11, nodes: 3, config })
    world.behave = spec => (spec.id === taskId('loop') ? { afterMs: 20, error: 'boom' } : null)
    world.put(world.ids[0] as NodeId, task('loop'))
    world.put(world.ids[0] as NodeId, task('calm'))
    world.advance(3_000)
    const { loop, calm } = Object.fromEntries(world.engine(world.ids[1] as NodeId).availability(world.now))
    return { loop: loop?.gaps ?? [], calm: calm?.gaps ?? [] }
  }
  const all = gapsOf(1_000)
  t.true(all.loop.length > 10)
  t.deepEqual(gapsOf(4), { loop: all.loop.slice(-4), calm: all.calm })
  t.is(all.calm.length, 1)
})

const number = (epoch: string): number => Number(epoch.split('-')[0])

test('what a member ran that is forgotten runs elsewhere, above its number, also where nobody could run it before', t => {
  const world = createWorld({ seed: 61, nodes: 5 })
  const [first, , , only, later] = world.ids as [NodeId, NodeId, NodeId, NodeId, NodeId]
  world.change(only, { labels: { plc: 'yes' } })
  world.advance(500)
  world.put(first, task('poll', { needs: { plc: 'yes' } }))
  world.advance(2_000)
  t.is(ownerOf(world, 'poll'), only)
  const numberBefore = number(copiesAt(world, first, 'poll')[0]?.epoch ?? '')
  t.true(numberBefore > 0)
  world.kill(only)
  world.advance(5_000)
  t.deepEqual(world.running('poll'), [])
  world.forget(only)
  world.advance(5_000)
  for (const id of others(world, only))
    t.false(
      copiesAt(world, id, 'poll').some(({ node }) => node === only),
      `${id} still shows it there`,
    )
  world.change(later, { labels: { plc: 'yes' } })
  world.advance(5_000)
  t.is(ownerOf(world, 'poll'), later)
  t.true(number(copiesAt(world, first, 'poll')[0]?.epoch ?? '') > numberBefore)
  t.deepEqual(world.violations, [])
})

test('a newcomer does not take the claim of a forgotten member for one that stands', t => {
  const world = createWorld({ seed: 62, nodes: 5 })
  const [first, , , only, later] = world.ids as [NodeId, NodeId, NodeId, NodeId, NodeId]
  world.change(only, { labels: { plc: 'yes' } })
  world.change(later, { labels: { plc: 'yes' } })
  world.advance(500)
  world.kill(later)
  world.advance(500)
  world.put(first, task('poll', { needs: { plc: 'yes' }, stopGrace: '60s' }))
  world.advance(2_000)
  t.is(ownerOf(world, 'poll'), only)
  world.kill(only)
  world.advance(2_000)
  world.forget(only)
  world.advance(2_000)
  world.restart(later)
  world.forget(only)
  world.advance(8_000)
  t.is(ownerOf(world, 'poll'), later)
  t.deepEqual(world.violations, [])
})

test('who was forgotten while it was cut off, and ran on, says so again when it is met', t => {
  const world = createWorld({ seed: 63, nodes: 4 })
  const [first, , , only] = world.ids as [NodeId, NodeId, NodeId, NodeId]
  world.change(only, { labels: { plc: 'yes' } })
  world.advance(500)
  world.put(first, task('poll', { needs: { plc: 'yes' } }))
  world.advance(2_000)
  world.partition([world.ids.filter(id => id !== only), [only]])
  world.advance(5_000)
  t.deepEqual(world.running('poll'), [only])
  world.forget(only)
  world.advance(5_000)
  world.heal()
  world.advance(10_000)
  t.is(ownerOf(world, 'poll'), only)
  for (const id of world.ids) t.like(copiesAt(world, id, 'poll'), [{ phase: 'running', node: only }])
  t.deepEqual(world.violations, [])
})
