// The messages of tasks. Checkpoints are JSON, and stay text on the wire.

import { type TaskId, taskId } from '../../core/ids.js'
import type { TaskCause } from '../../core/mesh-event.js'
import { type Checkpoint, PAST_CHARS_MAX, PAST_MAX } from '../../core/tasks/checkpoint.js'
import type { TaskMessage } from '../../core/tasks/message.js'
import { integer, json, name, oneOf, present, text, texts, wireLimits } from './checks.js'
import { converter } from './converter.js'
import type * as pb from './message.generated.js'

type Of<K extends TaskMessage['kind']> = Extract<TaskMessage, { readonly kind: K }>

/** Every cause, once; a missing one is an error of the compiler. */
const CAUSES = Object.keys({
  applied: 0,
  died: 0,
  drained: 0,
  left: 0,
  joined: 0,
  rebalanced: 0,
  removed: 0,
  changed: 0,
  exited: 0,
  'lower-epoch': 0,
  heal: 0,
} satisfies Record<TaskCause, 0>) as TaskCause[]

const task = (value: string): TaskId => taskId(name('task', value))

const epoch = (value: string): string => text('epoch', value, wireLimits.epochCharsMax)

const writeSaved = ({ epoch, sequence, checkpoint, past }: Checkpoint): pb.Saved => ({
  epoch,
  sequence,
  checkpoint: JSON.stringify(checkpoint),
  past: [...past],
})

const readSaved = (part: pb.Saved): Checkpoint => ({
  epoch: epoch(part.epoch),
  sequence: integer('sequence', part.sequence),
  checkpoint: json('checkpoint', part.checkpoint),
  past: texts('past', part.past, PAST_CHARS_MAX).slice(0, PAST_MAX),
})

/** Nothing may have been saved. */
const writeIfSaved = (saved: Checkpoint | null): { saved?: pb.Saved } =>
  saved === null ? {} : { saved: writeSaved(saved) }

const readIfSaved = ({ saved }: { saved?: pb.Saved }): Checkpoint | null =>
  saved === undefined ? null : readSaved(saved)

export const tasks = {
  checkpoint: converter<Of<'checkpoint'>, pb.Checkpoint>({
    write: message => ({ task: message.task, slot: message.slot, saved: writeSaved(message.saved) }),
    read: part => ({
      kind: 'checkpoint',
      task: task(part.task),
      slot: part.slot,
      saved: readSaved(present('saved', part.saved)),
    }),
  }),
  handover: converter<Of<'handover'>, pb.Handover>({
    write: message => ({
      task: message.task,
      slot: message.slot,
      epoch: message.epoch,
      cause: message.cause,
      ...(message.covered === null ? {} : { covered: Math.round(message.covered) }),
      ...writeIfSaved(message.saved),
    }),
    read: part => ({
      kind: 'handover',
      task: task(part.task),
      slot: part.slot,
      epoch: epoch(part.epoch),
      cause: oneOf('cause', part.cause, CAUSES),
      covered: part.covered === undefined ? null : integer('covered', part.covered),
      saved: readIfSaved(part),
    }),
  }),
  handoverAsked: converter<Of<'handoverAsked'>, pb.LastWord>({
    write: ({ task, slot, epoch }) => ({ task, slot, epoch }),
    read: part => ({
      kind: 'handoverAsked',
      task: task(part.task),
      slot: part.slot,
      epoch: epoch(part.epoch),
    }),
  }),
  handoverAnswered: converter<Of<'handoverAnswered'>, pb.LastWord>({
    write: ({ task, slot, epoch, saved }) => ({ task, slot, epoch, ...writeIfSaved(saved) }),
    read: part => ({
      kind: 'handoverAnswered',
      task: task(part.task),
      slot: part.slot,
      epoch: epoch(part.epoch),
      saved: readIfSaved(part),
    }),
  }),
  handoverAhead: converter<Of<'handoverAhead'>, pb.Results>({
    write: message => ({ tasks: [...message.tasks] }),
    read: part => ({ kind: 'handoverAhead', tasks: part.tasks.map(task) }),
  }),
  resultsAsked: converter<Of<'resultsAsked'>, pb.Results>({
    write: message => ({ tasks: [...message.tasks] }),
    read: part => ({ kind: 'resultsAsked', tasks: part.tasks.map(task) }),
  }),
  resultsHeld: converter<Of<'resultsHeld'>, pb.Results>({
    write: message => ({ tasks: [...message.tasks] }),
    read: part => ({ kind: 'resultsHeld', tasks: part.tasks.map(task) }),
  }),
}
