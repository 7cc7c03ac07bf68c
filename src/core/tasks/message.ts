// What nodes say to each other about tasks, beside what stands in shared state.

import type { TaskId } from '../ids.js'
import type { Json } from '../json.js'

export type TaskMessage =
  /** A copy's newest checkpoint, straight to the next in rank. */
  {
    readonly kind: 'checkpoint'
    readonly task: TaskId
    readonly slot: number
    readonly epoch: string
    readonly checkpoint: Json
  }
