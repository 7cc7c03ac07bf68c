// What the application asks of the engine: put, delete and restart tasks, and save
// checkpoints. Each is answered when it is durable, or refused with a reason.

import type { TaskId } from '../ids.js'
import type { Json } from '../json.js'
import { jsonBytes, utf8Bytes } from '../state/json-size.js'
import type { CopyId } from '../step.js'
import type { Checkpoints } from './checkpoints.js'
import { type Context, isLive, meshNow, SPACES, taskOf } from './context.js'
import type { Intake } from './intake.js'
import type { Runner } from './runner.js'
import type { TaskSpec } from './spec.js'
import { asObject, isReadable, readStored, sameSpec, showTask, storeTask } from './task-table.js'

export interface Requests {
  putTask(spec: TaskSpec, request: number): void
  deleteTask(id: TaskId, request: number): void
  restartTask(id: TaskId, request: number): void
  save(copy: CopyId, checkpoint: Json, request: number): void
  durable(token: number): boolean
}

/** As for a task's input; deeper ones overflow the stack of whoever prints them. */
const CHECKPOINT_DEPTH_MAX = 64

export const createRequests = (
  ctx: Context,
  intake: Intake,
  runner: Runner,
  checkpoints: Checkpoints,
): Requests => {
  const replies = new Map<number, { readonly request: number; readonly value: Json }>()

  const putTask = (spec: TaskSpec, request: number): undefined => {
    const id = spec.id
    const before = asObject(ctx.deps.state.get(SPACES.tasks, id))
    if (before === null && ctx.tasks.size >= ctx.config.tasksMax)
      return refuse(
        request,
        'TASKS_TOO_MANY',
        `task ${id} would be one more than the ${ctx.config.tasksMax} that are accepted`,
      )
    const known = ctx.tasks.get(id)
    if (known !== undefined && isReadable(known) && sameSpec(known.spec, spec)) {
      ctx.out.push({ kind: 'reply', request, value: showTask(known) })
      return
    }
    const stored =
      before === null
        ? { revision: 1, createdAt: Math.floor(meshNow(ctx)), restartedAt: 0 }
        : { ...readStored(before), revision: readStored(before).revision + 1 }
    if (before === null) ctx.madeHere.add(id)
    writeTask(id, storeTask(spec, stored), request, { ...spec, revision: stored.revision } as unknown as Json)
  }

  const deleteTask = (id: TaskId, request: number): undefined => {
    if (ctx.deps.state.get(SPACES.tasks, id) === undefined) return refuseUnknown(id, request)
    // Of its owners each removes its own claim when the copy has ended; the rest goes at once.
    const slots = [...ctx.slots.of(id)]
    const claims = slots.flatMap(slot =>
      slot.claims
        .filter(({ epoch: { node } }) => node !== ctx.self && !isLive(ctx, node))
        .map(({ epoch: { node } }) => `${slot.key}/${node}`),
    )
    remove(SPACES.claims, claims)
    remove(
      SPACES.checkpoints,
      slots.map(slot => slot.key),
    )
    remove(SPACES.results, [id])
    writeTask(id, undefined, request, null)
  }

  const remove = (space: string, keys: readonly string[]): void => {
    const present = keys.filter(key => ctx.deps.state.get(space, key) !== undefined)
    if (present.length === 0) return
    const changes = present.map(key => ({ key, value: undefined }))
    ctx.out.push(...ctx.deps.state.write(ctx.now, space, changes, null))
    for (const key of present) intake.load(space, key)
  }

  const restartTask = (id: TaskId, request: number): undefined => {
    const task = taskOf(ctx, id)
    if (task === null) return refuseUnknown(id, request)
    const { revision, createdAt } = task
    // A stamp that differs is what counts: the owners start their copies anew.
    const restartedAt = Math.max(
      Math.floor(meshNow(ctx)),
      readStored(asObject(ctx.deps.state.get(SPACES.tasks, id)) ?? {}).restartedAt + 1,
    )
    writeTask(id, storeTask(task.spec, { revision, createdAt, restartedAt }), request, null)
  }

  const writeTask = (id: TaskId, value: Json | undefined, request: number, reply: Json): void => {
    const token = ctx.deps.nextToken()
    replies.set(token, { request, value: reply })
    ctx.out.push(...ctx.deps.state.write(ctx.now, SPACES.tasks, [{ key: id, value }], token))
    intake.load(SPACES.tasks, id)
  }

  const refuse = (request: number, code: string, message: string): undefined => {
    ctx.out.push({ kind: 'refuse', request, code, message })
  }
  const refuseUnknown = (id: TaskId, request: number): undefined =>
    refuse(request, 'TASK_UNKNOWN', `there is no task ${id}`)

  const save = (copy: CopyId, checkpoint: Json, request: number): undefined => {
    const slot = runner.slotOfCopy(copy)
    if (slot === null || !runner.isCurrent(copy))
      return refuse(
        request,
        'FENCED',
        `copy ${copy.slot} of task ${copy.task} under epoch ${copy.epoch} is no longer the owner's`,
      )
    if (jsonBytes(checkpoint, CHECKPOINT_DEPTH_MAX) < 0)
      return refuse(
        request,
        'CHECKPOINT_INVALID',
        `the checkpoint of task ${copy.task} is not JSON, at most ${CHECKPOINT_DEPTH_MAX} levels deep`,
      )
    const bytes = utf8Bytes(JSON.stringify(checkpoint))
    if (bytes > ctx.config.checkpointBytesMax)
      return refuse(
        request,
        'CHECKPOINT_TOO_LARGE',
        `the checkpoint has ${bytes} bytes; at most ${ctx.config.checkpointBytesMax} are accepted`,
      )
    checkpoints.save(slot, checkpoint, request)
  }

  return {
    putTask,
    deleteTask,
    restartTask,
    save,
    durable: token => {
      const reply = replies.get(token)
      if (reply === undefined) return false
      replies.delete(token)
      ctx.out.push({ kind: 'reply', ...reply })
      return true
    },
  }
}
