import test from 'ava'
import { advance, type CopyEvent, type CopyState, isHolding, WAITING } from '../../src/core/tasks/copy.js'

const held = { number: 7, restarts: 2 }
const states = {
  waiting: WAITING,
  claiming: { phase: 'starting', step: 'claiming', ...held },
  launching: { phase: 'starting', step: 'launching', ...held },
  active: { phase: 'running', active: true, ...held },
  idle: { phase: 'running', active: false, ...held },
  stopping: { phase: 'stopping', cause: 'drained', ...held },
  stopped: { phase: 'stopped', cause: 'drained', ...held },
  failed: { phase: 'failed', error: 'boom', ...held },
} as const satisfies Record<string, CopyState>

const events = {
  take: { kind: 'take', number: 9 },
  claimed: { kind: 'claimed', periodic: false },
  claimedPeriodic: { kind: 'claimed', periodic: true },
  run: { kind: 'run' },
  started: { kind: 'started' },
  broken: { kind: 'exited', how: 'broken', error: 'bang', cause: 'exited' },
  ran: { kind: 'exited', how: 'ran', error: '', cause: 'exited' },
  finished: { kind: 'exited', how: 'finished', error: '', cause: 'exited' },
  stop: { kind: 'stop', cause: 'left' },
  renew: { kind: 'renew', number: 9 },
  steady: { kind: 'steady' },
} as const satisfies Record<string, CopyEvent>

/** Every state and event: the phase that follows and what is to be done; `-` changes nothing. */
const table: Record<keyof typeof states, Record<keyof typeof events, string>> = {
  waiting: {
    take: 'claiming: claim',
    claimed: '-',
    claimedPeriodic: '-',
    run: '-',
    started: '-',
    broken: '-',
    ran: '-',
    finished: '-',
    stop: '-',
    renew: '-',
    steady: '-',
  },
  claiming: {
    take: '-',
    claimed: 'launching: launch',
    claimedPeriodic: 'idle: publish',
    run: '-',
    started: '-',
    broken: '-',
    ran: '-',
    finished: '-',
    stop: 'stopped: ended',
    renew: '-',
    steady: '-',
  },
  launching: {
    take: '-',
    claimed: '-',
    claimedPeriodic: '-',
    run: '-',
    started: 'active: publish',
    broken: 'failed: publish backOff',
    ran: 'idle:',
    finished: 'stopped: ended',
    stop: 'stopping: publish halt',
    renew: '-',
    steady: '-',
  },
  active: {
    take: '-',
    claimed: '-',
    claimedPeriodic: '-',
    run: '-',
    started: '-',
    broken: 'failed: publish backOff',
    ran: 'idle:',
    finished: 'stopped: ended',
    stop: 'stopping: publish halt',
    renew: 'active:',
    steady: 'active:',
  },
  idle: {
    take: '-',
    claimed: '-',
    claimedPeriodic: '-',
    run: 'active: launch',
    started: '-',
    broken: '-',
    ran: '-',
    finished: '-',
    stop: 'stopped: ended',
    renew: 'idle:',
    steady: '-',
  },
  stopping: {
    take: '-',
    claimed: '-',
    claimedPeriodic: '-',
    run: '-',
    started: '-',
    broken: 'stopped: ended',
    ran: 'stopped: ended',
    finished: 'stopped: ended',
    stop: '-',
    renew: 'stopping:',
    steady: '-',
  },
  stopped: {
    take: 'claiming: claim',
    claimed: '-',
    claimedPeriodic: '-',
    run: '-',
    started: '-',
    broken: '-',
    ran: '-',
    finished: '-',
    stop: '-',
    renew: 'stopped:',
    steady: '-',
  },
  failed: {
    take: 'claiming: claim',
    claimed: '-',
    claimedPeriodic: '-',
    run: '-',
    started: '-',
    broken: '-',
    ran: '-',
    finished: '-',
    stop: 'stopped: ended',
    renew: 'failed:',
    steady: '-',
  },
}

const nameOf = (state: CopyState): string =>
  state.phase === 'starting'
    ? state.step
    : state.phase === 'running'
      ? state.active
        ? 'active'
        : 'idle'
      : state.phase

for (const [name, state] of Object.entries(states))
  test(`${name}: every event has the answer of the table`, t => {
    for (const [event, answer] of Object.entries(table[name as keyof typeof states])) {
      const { state: next, actions } = advance(state, events[event as keyof typeof events])
      const told = next === state ? '-' : `${nameOf(next)}: ${actions.join(' ')}`.trimEnd()
      t.is(told, answer, `${name} × ${event}`)
      if (next === state) t.deepEqual(actions, [])
    }
  })

test('a copy launches only after its claim is durable, and claims only when no process of it may live', t => {
  for (const state of Object.values(states))
    for (const event of Object.values(events)) {
      const { actions } = advance(state, event)
      if (actions.includes('launch')) t.true(event.kind === 'claimed' || event.kind === 'run')
      if (actions.includes('claim')) t.false(isHolding(state.phase))
      if (actions.includes('ended')) t.is(advance(state, event).state.phase, 'stopped')
    }
})

test('the number never falls, failures are counted until the copy is steady', t => {
  const failed = advance(states.active, events.broken).state
  t.like(failed, { phase: 'failed', number: 7, restarts: 3, error: 'bang' })
  t.like(advance(failed, events.take).state, { number: 9, restarts: 3 })
  t.like(advance(states.active, events.steady).state, { number: 7, restarts: 0 })
  t.like(advance(states.active, events.renew).state, { number: 9, restarts: 2 })
  t.like(advance(states.stopping, events.broken).state, { phase: 'stopped', cause: 'drained' })
})
