// Counts over the list of tasks, for the gauges. A slot is uncovered when a copy is due
// and none of its copies runs; a finished job and a paused task owe nothing.

/** Labels of tasks and spaces that one scrape may carry. */
export const AVAILABILITY_TASKS_MAX = 200
export const SPACES_MAX = 200

export interface TasksSeen {
  readonly declared: number
  readonly phases: ReadonlyMap<string, number>
  readonly uncovered: number
  readonly unreadable: number
}

interface Seen {
  readonly problem?: unknown
  readonly result?: unknown
  readonly copies?: unknown
}

export const tasksSeen = (tasks: readonly object[]): TasksSeen => {
  const phases = new Map(
    ['waiting', 'starting', 'running', 'stopping', 'stopped', 'failed'].map(phase => [phase, 0]),
  )
  let uncovered = 0
  let unreadable = 0
  for (const task of tasks as readonly Seen[]) {
    if (task.problem !== undefined) {
      unreadable++
      continue
    }
    const copies = (task.copies ?? []) as readonly { readonly slot: number; readonly phase: string }[]
    const slots = new Map<number, boolean>()
    for (const { slot, phase } of copies) {
      phases.set(phase, (phases.get(phase) ?? 0) + 1)
      slots.set(slot, (slots.get(slot) ?? false) || phase === 'running')
    }
    if (task.result === undefined && [...slots.values()].includes(false)) uncovered++
  }
  return { declared: tasks.length, phases, uncovered, unreadable }
}
