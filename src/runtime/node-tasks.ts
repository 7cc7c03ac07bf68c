// What the outside may ask of a node about tasks: to put and delete them, what runs where
// and why, and what a copy of one may write in its name.
//
// A spec is checked before anything is stored; all else is the core's to decide.

import { ShoalError } from '../core/errors.js'
import { type Millis, type NodeId, type TaskId, taskId } from '../core/ids.js'
import type { Json } from '../core/json.js'
import type { NodeCore } from '../core/node-core.js'
import type { CopyId } from '../core/step.js'
import type { TaskAvailability } from '../core/tasks/availability.js'
import type { Move } from '../core/tasks/explain.js'
import { parseSpec } from '../core/tasks/spec-rules.js'
import type { TaskView } from '../core/tasks/views.js'
import type { Requests } from './requests.js'
import type { TaskLogs } from './task-logs.js'

export interface NodeTasksHost {
  readonly tasks: NodeCore['tasks']
  readonly requests: Requests
  readonly logs: TaskLogs
  readonly now: () => Millis
  readonly knowsZone: (zone: string) => boolean
  /** Whom a name, an id or the beginning of one means; throws where that is nobody, or several. */
  readonly resolve: (text: string) => NodeId
}

export class NodeTasks {
  readonly #host: NodeTasksHost

  constructor(host: NodeTasksHost) {
    this.#host = host
  }

  list(): readonly TaskView[] {
    return this.#host.tasks.list()
  }

  get(id: string): TaskView | null {
    return this.#host.tasks.get(taskId(id))
  }

  async put(input: unknown): Promise<TaskView> {
    const spec = parseSpec(input, this.#host.knowsZone)
    const stored = await this.#host.requests.make(request => ({ kind: 'taskPut', spec, request }))
    // Somebody else may have deleted it by the time it is durable.
    return this.get(spec.id) ?? (stored as TaskView)
  }

  /** All or none: every spec is checked before the first is stored. */
  async putAll(inputs: readonly unknown[]): Promise<TaskView[]> {
    for (const input of inputs) parseSpec(input, this.#host.knowsZone)
    return Promise.all(inputs.map(input => this.put(input)))
  }

  async delete(id: string): Promise<void> {
    await this.#host.requests.make(request => ({ kind: 'taskDelete', task: taskId(id), request }))
  }

  async restart(id: string): Promise<void> {
    await this.#host.requests.make(request => ({ kind: 'taskRestart', task: taskId(id), request }))
  }

  why(id: string) {
    return this.#host.tasks.why(taskId(id))
  }

  plan(without: readonly string[]): { readonly moves: readonly Move[] } {
    return this.#host.tasks.plan(without.map(text => this.#host.resolve(text)))
  }

  availability(): ReadonlyMap<TaskId, TaskAvailability> {
    return this.#host.tasks.availability(this.#host.now())
  }

  phases(): Readonly<Record<string, number>> {
    return this.#host.tasks.phases()
  }

  /** The newest lines of a task's log, from the nodes that run it. */
  async logs(id: string, lines: number): Promise<readonly unknown[]> {
    const task = this.get(id)
    if (task === null) throw new ShoalError('NOT_FOUND', `no task is called ${id}`)
    return this.#host.logs.read(taskId(id), task, lines)
  }

  /** Whether this copy may still write in its task's name. */
  isCurrent(copy: CopyId): boolean {
    return this.#host.tasks.isCurrent(copy)
  }

  /** Saves a copy's progress; resolves when it is durable, refused as `FENCED` when the copy is not the owner's any more. */
  async saveCheckpoint(copy: CopyId, checkpoint: Json): Promise<void> {
    await this.#host.requests.make(request => ({ kind: 'copySaved', copy, checkpoint, request }))
  }
}
