// What an event changes in the members and tasks that the page holds, at once and without
// asking: the answer of the API follows and has the last word. So a guess here may be
// coarse, but never invents a member or a task.

import { type Copy, type Member, type MeshEvent, type Task, textOf, type Verdict } from './model.js'

export interface Picture {
  readonly members: ReadonlyMap<string, Member>
  readonly tasks: ReadonlyMap<string, Task>
}

const VERDICT_OF: Readonly<Record<string, Verdict>> = {
  'member.alive': 'alive',
  'member.suspect': 'suspect',
  'member.dead': 'dead',
  'member.left': 'left',
}

export const applyEvent = (picture: Picture, event: MeshEvent): Picture => {
  if (event.kind.startsWith('member.')) return applyMemberEvent(picture, event)
  if (event.kind.startsWith('task.')) return applyTaskEvent(picture, event)
  return picture
}

const applyMemberEvent = (picture: Picture, event: MeshEvent): Picture => {
  const id = textOf(event.member)
  const member = picture.members.get(id)
  if (member === undefined) return picture
  const members = new Map(picture.members)
  if (event.kind === 'member.forgotten') {
    members.delete(id)
    return { ...picture, members }
  }
  const verdict = VERDICT_OF[event.kind]
  if (verdict === undefined) return picture
  members.set(id, { ...member, verdict, cause: textOf(event.cause) || null, since: event.at })
  // A copy of a member that is gone waits until another member has it.
  const isGone = verdict === 'dead' || verdict === 'left'
  const tasks = isGone
    ? mapCopies(picture.tasks, copy =>
        copy.node === id && copy.phase !== 'stopped'
          ? { ...copy, node: null, phase: 'waiting', reason: `${member.name} is ${verdict}`, since: event.at }
          : copy,
      )
    : picture.tasks
  return { members, tasks }
}

const applyTaskEvent = (picture: Picture, event: MeshEvent): Picture => {
  const id = textOf(event.task)
  const task = picture.tasks.get(id)
  if (task === undefined) return picture
  const tasks = new Map(picture.tasks)
  if (event.kind === 'task.removed') {
    tasks.delete(id)
    return { ...picture, tasks }
  }
  const copies = changeCopies(task.copies, event)
  if (copies === task.copies) return picture
  tasks.set(id, { ...task, copies })
  return { ...picture, tasks }
}

const changeCopies = (copies: readonly Copy[], event: MeshEvent): readonly Copy[] => {
  const node = textOf(event.node)
  const at = event.at
  const epoch = textOf(event.epoch) || null
  const change = (index: number, to: Partial<Copy>): readonly Copy[] =>
    index < 0 ? copies : copies.map((copy, i) => (i === index ? { ...copy, ...to } : copy))
  const held = (id: string): number => copies.findIndex(copy => copy.node === id && matchesSlot(copy, event))
  const open = (): number =>
    copies.findIndex(copy => (copy.node === null || copy.phase === 'stopped') && matchesSlot(copy, event))
  switch (event.kind) {
    case 'task.started': {
      const index = held(node) >= 0 ? held(node) : open()
      return change(index, { node, phase: 'running', epoch, since: at, reason: null })
    }
    case 'task.failed':
      return change(held(node), { phase: 'failed', since: at, lastError: textOf(event.error) || null })
    case 'task.stopped':
      return change(held(node), { phase: 'stopped', since: at })
    case 'task.moved': {
      const to = textOf(event.to)
      if (to === '' || held(to) >= 0) return copies
      const from = textOf(event.from)
      const index = from !== '' && held(from) >= 0 ? held(from) : open()
      return change(index, { node: to, phase: 'starting', epoch, since: at, reason: null })
    }
    default:
      return copies
  }
}

const matchesSlot = (copy: Copy, event: MeshEvent): boolean =>
  typeof event.slot !== 'number' || copy.slot === event.slot

const mapCopies = (
  tasks: ReadonlyMap<string, Task>,
  change: (copy: Copy) => Copy,
): ReadonlyMap<string, Task> => {
  const changed = new Map(tasks)
  for (const [id, task] of tasks) {
    const copies = task.copies.map(change)
    if (copies.some((copy, i) => copy !== task.copies[i])) changed.set(id, { ...task, copies })
  }
  return changed
}
