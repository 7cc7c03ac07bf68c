// The life of one copy on this node, as a table: waiting → starting → running →
// stopping → stopped, or failed with a back-off. It decides what a copy may do next
// and what has to be done for it; whether a copy is wanted here is the runner's
// affair. Every state answers every event: one that comes late (an exit after a
// forced stop, a claim that became durable after the task went away) changes nothing.
//
// A copy never launches before its claim is durable, and never claims again while a
// process of its last execution may still live.

import type { TaskCause } from '../mesh-event.js'

export type CopyPhase = 'waiting' | 'starting' | 'running' | 'stopping' | 'stopped' | 'failed'

/** The number of its epoch; the node's id is the same for every copy here. */
interface Held {
  readonly number: number
  /** Failures since it was last steady. */
  readonly restarts: number
}

export type CopyState =
  | { readonly phase: 'waiting' }
  /** `claiming` until the claim is durable, `launching` until the executor says that it runs. */
  | ({ readonly phase: 'starting'; readonly step: 'claiming' | 'launching' } & Held)
  /** `active` is false between the runs of a periodic task: the claim stands, no process does. */
  | ({ readonly phase: 'running'; readonly active: boolean } & Held)
  | ({ readonly phase: 'stopping'; readonly cause: TaskCause } & Held)
  | ({ readonly phase: 'stopped'; readonly cause: TaskCause } & Held)
  | ({ readonly phase: 'failed'; readonly error: string } & Held)

export type CopyEvent =
  /** The runner wants it here, under this number. */
  | { readonly kind: 'take'; readonly number: number }
  /** Its claim is durable. A periodic copy then waits for its period. */
  | { readonly kind: 'claimed'; readonly periodic: boolean }
  /** A period begins. */
  | { readonly kind: 'run' }
  | { readonly kind: 'started' }
  /** `broken`: it had to go on for ever, and did not. `ran`: one run of a periodic task. `finished`: a job's only run. */
  | {
      readonly kind: 'exited'
      readonly how: 'broken' | 'ran' | 'finished'
      readonly error: string
      readonly cause: TaskCause
    }
  | { readonly kind: 'stop'; readonly cause: TaskCause }
  /** It went on under a higher number; the claim for it is durable, whatever became of the copy meanwhile. */
  | { readonly kind: 'renew'; readonly number: number }
  /** It ran long enough for its earlier failures to be forgotten. */
  | { readonly kind: 'steady' }

/** What has to be done after a transition. */
export type CopyAction = 'claim' | 'launch' | 'halt' | 'publish' | 'ended' | 'backOff'

export interface Transition {
  readonly state: CopyState
  readonly actions: readonly CopyAction[]
}

type Row = { readonly [K in CopyEvent['kind']]?: (event: Extract<CopyEvent, { kind: K }>) => Transition }

export const WAITING: CopyState = { phase: 'waiting' }

/** The state after an event, and what it asks for. The same state object means that nothing happened. */
export const advance = (state: CopyState, event: CopyEvent): Transition => {
  const answer = rowOf(state)[event.kind] as ((event: CopyEvent) => Transition) | undefined
  return answer === undefined ? { state, actions: [] } : answer(event)
}

/** Whether a process of this copy may exist: nobody else should start before it is gone. */
export const isHolding = (phase: CopyPhase): boolean =>
  phase === 'starting' || phase === 'running' || phase === 'stopping'

/** The number of its epoch; 0 for one that has none. */
export const numberOf = (state: CopyState): number => (state.phase === 'waiting' ? 0 : state.number)

const rowOf = (state: CopyState): Row => {
  switch (state.phase) {
    case 'waiting':
      return { take: ({ number }) => take(number, 0) }
    case 'starting':
      return state.step === 'claiming'
        ? {
            claimed: ({ periodic }) =>
              periodic
                ? to({ ...held(state), phase: 'running', active: false }, 'publish')
                : to({ ...held(state), phase: 'starting', step: 'launching' }, 'launch'),
            // Nothing was launched: the claim is taken back and that is all.
            stop: ({ cause }) => to({ ...held(state), phase: 'stopped', cause }, 'ended'),
          }
        : {
            started: () => to({ ...held(state), phase: 'running', active: true }, 'publish'),
            exited: event => exit(state, event),
            stop: ({ cause }) => to({ ...held(state), phase: 'stopping', cause }, 'publish', 'halt'),
          }
    case 'running':
      return state.active
        ? {
            exited: event => exit(state, event),
            stop: ({ cause }) => to({ ...held(state), phase: 'stopping', cause }, 'publish', 'halt'),
            renew: renewed(state),
            steady: () => (state.restarts === 0 ? to(state) : to({ ...state, restarts: 0 })),
          }
        : {
            run: () => to({ ...state, active: true }, 'launch'),
            stop: ({ cause }) => to({ ...held(state), phase: 'stopped', cause }, 'ended'),
            renew: renewed(state),
          }
    case 'stopping':
      // However it ended, it was asked to: the cause is that of the request.
      return {
        exited: () => to({ ...held(state), phase: 'stopped', cause: state.cause }, 'ended'),
        renew: renewed(state),
      }
    case 'stopped':
      return {
        // Failures count on only through restarts after failures.
        take: ({ number }) => take(number, 0),
        renew: renewed(state),
      }
    case 'failed':
      return {
        take: ({ number }) => take(number, state.restarts),
        stop: ({ cause }) => to({ ...held(state), phase: 'stopped', cause }, 'ended'),
        renew: renewed(state),
      }
  }
}

const to = (state: CopyState, ...actions: CopyAction[]): Transition => ({ state, actions })

/** Nothing but its number changes. */
const renewed =
  <S extends Exclude<CopyState, { phase: 'waiting' }>>(state: S) =>
  ({ number }: { readonly number: number }): Transition =>
    to({ ...state, number })

const held = (state: Held): Held => ({ number: state.number, restarts: state.restarts })

const take = (number: number, restarts: number): Transition =>
  to({ phase: 'starting', step: 'claiming', number, restarts }, 'claim')

const exit = (state: Held, event: Extract<CopyEvent, { kind: 'exited' }>): Transition => {
  switch (event.how) {
    case 'broken':
      return to(
        { phase: 'failed', number: state.number, restarts: state.restarts + 1, error: event.error },
        'publish',
        'backOff',
      )
    case 'ran':
      return to({ ...held(state), phase: 'running', active: false })
    case 'finished':
      return to({ ...held(state), phase: 'stopped', cause: event.cause }, 'ended')
  }
}
