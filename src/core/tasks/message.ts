// What nodes say to each other about tasks, beside what stands in shared state.
// All of it is a short cut: whatever is lost here comes by way of the state.

import type { Millis, TaskId } from '../ids.js'
import type { TaskCause } from '../mesh-event.js'
import type { Checkpoint } from './checkpoint.js'

export type TaskMessage =
  /** A copy's newest checkpoint, whoever saved it, straight to the next in rank. */
  | {
      readonly kind: 'checkpoint'
      readonly task: TaskId
      readonly slot: number
      readonly saved: Checkpoint
    }
  /** Copies of these will be handed over soon: opens the way to a node that is no neighbor. */
  | { readonly kind: 'handoverAhead'; readonly tasks: readonly TaskId[] }
  /** A planned move: the sender's copy has ended, the receiver may start at once. */
  | {
      readonly kind: 'handover'
      readonly task: TaskId
      readonly slot: number
      readonly epoch: string
      /** Why the copy moves. */
      readonly cause: TaskCause
      /** In mesh time, up to where its periods are done, or null. */
      readonly covered: Millis | null
      /** The newest that the sender knows of, as it was saved; null is none. */
      readonly saved: Checkpoint | null
    }
  /** The sender has claimed a copy that is to overlap with the receiver's: what did that save? */
  | {
      readonly kind: 'handoverAsked'
      readonly task: TaskId
      readonly slot: number
      readonly epoch: string
    }
  /** `epoch` is the asker's. Nothing that the sender's copy saves is acknowledged from now on. */
  | {
      readonly kind: 'handoverAnswered'
      readonly task: TaskId
      readonly slot: number
      readonly epoch: string
      readonly saved: Checkpoint | null
    }
  /** A job's owner asks whether the receiver holds these results of its; answered once it does. */
  | { readonly kind: 'resultsAsked'; readonly tasks: readonly TaskId[] }
  | { readonly kind: 'resultsHeld'; readonly tasks: readonly TaskId[] }
