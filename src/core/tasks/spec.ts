// What a task says of itself (contract, section 2), with every default filled.

import type { TaskId } from '../ids.js'
import type { Json } from '../json.js'

export type TaskRun =
  | { readonly handler: string }
  | { readonly module: string }
  | {
      readonly exec: readonly string[]
      readonly env?: Readonly<Record<string, string>>
      readonly cwd?: string
    }

export type TaskWhen =
  | 'always'
  | 'once'
  | { readonly every: string }
  | { readonly cron: string; readonly zone?: string }

export interface TaskSpec {
  readonly id: TaskId
  readonly run: TaskRun
  readonly when: TaskWhen
  readonly input: Json
  readonly replicas: number | 'all'
  readonly needs: Readonly<Record<string, string>>
  readonly spread: string | null
  readonly weight: number
  readonly stopGrace: string
  readonly overlap: boolean
  readonly onPartition: 'run'
}

/** What a member's `runs` must contain for it to run this: `exec`, `module` or `handler:<name>`. */
export const abilityOf = (run: TaskRun): string =>
  'handler' in run ? `handler:${run.handler}` : 'module' in run ? 'module' : 'exec'
