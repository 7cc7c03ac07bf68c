// Random faults over a task that saves. Who saved what upon what is known here, so that at rest
// it can be said what the next copy must have: all that its predecessor went on from.

import { type NodeId, taskId } from '../../src/core/ids.js'
import type { Json } from '../../src/core/json.js'
import { createWorld, type Start, task, type WorldOptions } from './engine-world.js'

interface Saved {
  /** What its copy had saved or begun with before. */
  readonly before: Json
  readonly copy: Start
  isAcknowledged: boolean
}

export interface Findings {
  checks: number
  readonly lost: string[]
}

const optionsOf = (seed: number): WorldOptions => ({
  seed,
  nodes: 3 + (seed % 4),
  gathers: seed % 2 === 0,
  ...(seed % 5 === 0 ? { lateSpaces: { 'shoal.claims': 200 + ((seed * 37) % 1_500) } } : {}),
  ...(seed % 5 === 1 ? { lateSpaces: { 'shoal.checkpoints': 200 + ((seed * 37) % 1_500) } } : {}),
  ...(seed % 7 === 0 ? { meetMs: 2_000 } : {}),
})

/** One world; what was lost is said with the seed. */
export const play = (seed: number, isOverlap = false): Findings => {
  const world = createWorld(optionsOf(seed))
  const { rng } = world
  const poll = taskId('poll')
  const isPeriodic = seed % 3 === 0 && !isOverlap
  const saved = new Map<Json, Saved>()
  const last = new Map<Start, Json>()
  let pending: { readonly node: NodeId; readonly request: number; readonly value: Json }[] = []
  let isFailing = false
  const findings: Findings = { checks: 0, lost: [] }

  const stateOf = (copy: Start): Json => last.get(copy) ?? copy.checkpoint
  const startOn = (node: NodeId): Start => world.starts.findLast(start => start.node === node) as Start
  const collect = (): void => {
    pending = pending.filter(({ node, request, value }) => {
      const reply = world.reply(node, request)
      const entry = saved.get(value)
      if (reply === null && entry !== undefined) entry.isAcknowledged = true
      return reply === undefined
    })
  }
  const save = (copy: Start): void => {
    const request = world.request()
    const value = `${copy.node} ${saved.size}`
    saved.set(value, { before: stateOf(copy), copy, isAcknowledged: false })
    last.set(copy, value)
    pending.push({ node: copy.node, request, value })
    world.ask(copy.node, { kind: 'copySaved', copy: copy.copy, checkpoint: value, request })
  }
  const advance = (ms: number, savesOfHundred: number): void => {
    for (const until = world.now + ms; world.now < until; collect()) {
      world.advance(Math.min(until - world.now, 5 + rng.below(200)))
      collect()
      for (const node of world.running('poll')) if (rng.below(100) < savesOfHundred) save(startOn(node))
    }
  }
  const restartTask = (node: NodeId): void =>
    world.ask(node, { kind: 'taskRestart', task: poll, request: world.request() })
  const upNode = (): NodeId => rng.pick(world.ids.filter(id => world.isUp(id)))
  const killFor = (node: NodeId, ms: number, saves: number): void => {
    world.kill(node)
    advance(ms, saves)
    world.restart(node, rng.pick([0, 3_000]))
  }
  /** Whether a copy that began with `value` has `wanted`. */
  const has = (value: Json, wanted: Json): boolean => {
    for (let at: Json = value; at !== null; at = saved.get(at)?.before ?? null) if (at === wanted) return true
    return wanted === null
  }

  const harm = (saves: number): void => {
    const wait = (): number => rng.pick([50, 300, 1_000, 3_000, 8_000, 12_000])
    const [runner] = world.running('poll')
    const mixed = rng.shuffle(world.ids)
    switch (rng.below(6)) {
      case 0:
      case 1: {
        const here = mixed.slice(0, 1 + rng.below(mixed.length - 1))
        world.partition([here, mixed.slice(here.length)])
        advance(2_500 + wait(), saves)
        const runners = world.running('poll')
        const then = rng.below(4)
        if (then === 0 && runners.length > 0) killFor(rng.pick(runners), wait(), saves)
        if (then === 1) restartTask(upNode())
        advance(rng.pick([0, 500, 2_000]), rng.pick([0, saves]))
        world.heal()
        if (rng.below(2) === 0) for (const id of here) world.change(id, { settled: false })
        advance(rng.pick([50, 100, 200, 400, 1_000]), rng.pick([0, saves]))
        if (rng.below(3) === 0) restartTask(upNode())
        return
      }
      case 2:
        if (runner !== undefined) killFor(runner, wait(), saves)
        return
      case 3:
        world.change(mixed[0] as NodeId, { draining: true })
        return advance(wait(), saves)
      case 4:
        isFailing = true
        advance(3_000, saves)
        isFailing = false
        return
      default:
        if (runner !== undefined) world.freeze(runner, rng.pick([1_500, 4_000, 8_000]))
        advance(2_000 + wait(), saves)
    }
  }

  /** At rest the only copy loses its place; what the next one begins with has all that it went on from. */
  const check = (): boolean => {
    const running = world.running('poll')
    const owner = running[0]
    if (owner === undefined || running.length > 1) return true
    const copy = startOn(owner)
    if (rng.below(2) === 0) {
      save(copy)
      world.advance(rng.pick([60, 200, 1_000, 11_000]))
      collect()
      if (world.running('poll')[0] !== owner || (!isPeriodic && startOn(owner) !== copy)) return true
    }
    let wanted = stateOf(copy)
    while (wanted !== null && saved.get(wanted)?.isAcknowledged === false)
      wanted = saved.get(wanted)?.before ?? null
    const before = world.starts.length
    const how = rng.pick(['kill', 'kill', 'drain', 'restart'])
    if (how === 'kill') world.kill(owner)
    else if (how === 'drain') world.change(owner, { draining: true })
    else restartTask(owner)
    world.advance(4_500)
    collect()
    const next = world.starts
      .slice(before)
      .find(start => (how === 'restart' ? start.copy.epoch !== copy.copy.epoch : start.node !== owner))
    findings.checks++
    if (next === undefined || !has(next.checkpoint, wanted)) {
      findings.lost.push(
        `SEED=${seed}, ${how} of ${owner}: ${wanted} was lost, ${next?.checkpoint} was found`,
      )
      return false
    }
    if (how === 'kill') world.restart(owner)
    world.change(owner, { draining: false })
    advance(4_000, 0)
    return true
  }

  world.behave = () => {
    if (isPeriodic) return { afterMs: 300 + rng.below(400), error: null }
    return isFailing ? { afterMs: 100 + rng.below(800), error: 'boom' } : null
  }
  const when = isPeriodic ? ({ every: '1s' } as const) : 'always'
  world.put(world.ids[0] as NodeId, task('poll', { when, overlap: isOverlap }))
  world.advance(1_500)
  for (let round = 0; round < 6; round++) {
    harm(rng.pick([0, 0, 5, 30]))
    for (const id of world.ids) world.change(id, { draining: false, settled: true })
    world.heal()
    advance(rng.pick([6_000, 20_000, 20_000]), rng.pick([0, 0, 3]))
    world.advance(1_200)
    collect()
    for (let i = 0; i < 30 && world.running('poll').length !== 1; i++) world.advance(53)
    if (!check()) break
  }
  findings.lost.push(...world.violations)
  return findings
}
