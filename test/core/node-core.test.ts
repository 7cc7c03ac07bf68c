// The whole core behind one step, driven by hand: its parts hear of each other, share
// one counter of tokens, are due together, and leave in order.

import test from 'ava'
import { nodeId, taskId } from '../../src/core/ids.js'
import { coreDefaults, NodeCore } from '../../src/core/node-core.js'
import { createRng } from '../../src/core/rng.js'
import type { CoreEvent, Effect } from '../../src/core/step.js'
import { parseSpec } from '../../src/core/tasks/spec-rules.js'
import { simSealer } from '../../src/sim/seals.js'

const START = 1_700_000_000_000

class Bench {
  now = START
  readonly core: NodeCore
  readonly effects: Effect[] = []

  constructor(seed = 1) {
    this.core = new NodeCore({
      config: coreDefaults,
      rng: createRng(seed),
      sealer: simSealer,
      instance: '0123456789abcdef',
      now: this.now,
      zoneOffset: () => 0,
      entries: () => [],
      profile: {
        id: nodeId('node-a'),
        name: 'a',
        addresses: ['/a'],
        dialable: true,
        labels: {},
        capacity: null,
        runs: ['exec', 'handler:work'],
        spaces: ['*'],
        version: '0.1.0',
      },
    })
  }

  /** Steps, and says at once that what is to be flushed is durable. */
  step(event: CoreEvent): void {
    const asked = this.core.step(this.now, event)
    this.effects.push(...asked)
    for (const effect of asked) {
      if (effect.kind === 'persist' && effect.token !== null) {
        this.step({ kind: 'durable', token: effect.token })
      }
    }
  }

  /** Passes time, deadline by deadline; a bound in place of for ever. */
  pass(ms: number): void {
    const until = this.now + ms
    for (let steps = 0; steps < 10_000; steps++) {
      const at = this.core.nextDeadlineAt
      if (at === null || at > until) break
      this.now = Math.max(this.now, at)
      this.step({ kind: 'timer' })
    }
    this.now = until
  }

  of<Kind extends Effect['kind']>(kind: Kind): Extract<Effect, { kind: Kind }>[] {
    return this.effects.filter((effect): effect is Extract<Effect, { kind: Kind }> => effect.kind === kind)
  }

  put(id: string, run: object): void {
    this.step({ kind: 'taskPut', spec: parseSpec({ id, run }, () => true), request: 7 })
  }
}

test('tokens are shared by the parts and never given twice', t => {
  const it = new Bench()
  it.step({ kind: 'started' })
  it.step({ kind: 'stateWrite', space: 'plc', changes: [{ key: 'a', value: 1 }], request: 1 })
  it.put('work', { handler: 'work' })
  it.pass(60_000)
  const tokens = it.of('persist').flatMap(({ token }) => token ?? [])
  t.true(tokens.length >= 3)
  t.is(new Set(tokens).size, tokens.length)
})

test('a write is answered when it is durable, and heard of by its space', t => {
  const it = new Bench()
  it.step({ kind: 'started' })
  it.step({ kind: 'stateWrite', space: 'plc', changes: [{ key: 'a', value: 1 }], request: 5 })
  t.deepEqual(it.of('reply'), [{ kind: 'reply', request: 5, value: null }])
  t.is(it.core.state.get('plc', 'a'), 1)
  const changed = it.of('notify').flatMap(({ event }) => (event.kind === 'state.changed' ? event : []))
  t.deepEqual(
    changed.map(({ space, keys }) => [space, keys]),
    [['plc', ['a']]],
  )
})

test('the next deadline is the earliest of its parts, and working it off moves it', t => {
  const it = new Bench()
  it.step({ kind: 'started' })
  const { members, state, tasks } = it.core
  for (let i = 0; i < 50; i++) {
    const parts = [members, state, tasks].flatMap(part => part.nextDeadlineAt ?? [])
    t.is(it.core.nextDeadlineAt, Math.min(...parts))
    it.now = Math.max(it.now, it.core.nextDeadlineAt ?? 0)
    it.step({ kind: 'timer' })
    t.true((it.core.nextDeadlineAt ?? Infinity) >= it.now)
  }
})

test('a node alone starts the task that it is given, hands it over when it leaves, and then says goodbye', t => {
  const it = new Bench()
  it.step({ kind: 'started' })
  it.pass(60_000)
  it.put('work', { handler: 'work' })
  it.pass(10_000)
  const [started] = it.of('startCopy')
  t.is(started?.copy.task, taskId('work'))
  if (started === undefined) return
  it.step({ kind: 'copyStarted', copy: started.copy })
  it.pass(1_000)
  t.false(it.core.isLeaving)

  it.step({ kind: 'leave', request: 9 })
  t.true(it.core.isLeaving)
  t.true(it.core.members.selfRecord.draining)
  t.deepEqual(
    it.of('stopCopy').map(({ copy }) => copy),
    [started.copy],
  )
  const isAnswered = (): boolean => it.of('reply').some(({ request }) => request === 9)
  t.false(it.core.members.selfRecord.left)
  it.pass(1_000)
  t.false(it.core.members.selfRecord.left, 'it waits for its copy')

  it.step({ kind: 'copyExited', copy: started.copy, error: null, result: null })
  t.true(it.core.members.selfRecord.left)
  t.false(isAnswered(), 'its goodbyes have not gone out')
  it.pass(coreDefaults.goodbyeMs - 1)
  t.false(isAnswered())
  it.pass(1)
  t.true(isAnswered())
})

test('a copy that does not end holds a leaving node no longer than it may', t => {
  const it = new Bench()
  it.step({ kind: 'started' })
  it.pass(60_000)
  it.put('work', { handler: 'work' })
  it.pass(10_000)
  const [started] = it.of('startCopy')
  if (started === undefined) return t.fail('the task was not started')
  it.step({ kind: 'copyStarted', copy: started.copy })
  it.step({ kind: 'leave', request: 9 })
  it.pass(coreDefaults.leaveMs - 1)
  t.false(it.core.members.selfRecord.left)
  it.pass(1)
  t.true(it.core.members.selfRecord.left)
  it.pass(coreDefaults.goodbyeMs)
  t.is(it.of('reply').filter(({ request }) => request === 9).length, 1)
})

test('whoever asks a leaving node to leave again is answered as well', t => {
  const it = new Bench()
  it.step({ kind: 'started' })
  it.step({ kind: 'leave', request: 1 })
  it.step({ kind: 'leave', request: 2 })
  it.pass(coreDefaults.leaveMs + coreDefaults.goodbyeMs)
  it.step({ kind: 'leave', request: 3 })
  const answered = it.of('reply').map(({ request }) => request)
  t.deepEqual(answered.filter(request => request > 0).sort(), [1, 2, 3])
})

test('the same events at the same times give the same effects', t => {
  const run = (): readonly Effect[] => {
    const it = new Bench(3)
    it.step({ kind: 'started' })
    it.step({ kind: 'join', addresses: ['/b', '/c'] })
    it.put('work', { handler: 'work' })
    it.pass(120_000)
    return it.effects
  }
  t.deepEqual(run(), run())
})
