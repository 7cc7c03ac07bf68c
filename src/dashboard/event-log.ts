// The events that the page holds: the newest of one life of its node, each once, in the
// order of their numbers. Another life of the node begins a new log, because its numbers
// begin again.

import type { MeshEvent } from './model.js'

export const EVENTS_MAX = 2_000

export type EventFilter = 'all' | 'members' | 'tasks' | 'state' | 'node'

export interface EventLog {
  /** When the node that numbered them started; null before anything is known. */
  readonly startedAt: number | null
  /** Oldest first. */
  readonly events: readonly MeshEvent[]
}

export const emptyLog: EventLog = { startedAt: null, events: [] }

/** The log with these events, and those of them that were new to it. */
export const addEvents = (
  log: EventLog,
  startedAt: number | null,
  incoming: readonly MeshEvent[],
): { readonly log: EventLog; readonly added: readonly MeshEvent[] } => {
  const isOtherLife = startedAt !== null && log.startedAt !== null && startedAt !== log.startedAt
  const base = isOtherLife ? [] : log.events
  let newest = base.at(-1)?.seq ?? 0
  const added: MeshEvent[] = []
  for (const event of incoming) {
    if (!isEvent(event) || event.seq <= newest) continue
    newest = event.seq
    added.push(event)
  }
  if (added.length === 0 && !isOtherLife && (log.startedAt ?? startedAt) === log.startedAt)
    return { log, added }
  const events = base.concat(added)
  return {
    log: { startedAt: startedAt ?? log.startedAt, events: events.slice(-EVENTS_MAX) },
    added,
  }
}

const isEvent = (value: unknown): value is MeshEvent => {
  const event = value as MeshEvent | null
  return (
    typeof event === 'object' &&
    event !== null &&
    Number.isFinite(event.seq) &&
    Number.isFinite(event.at) &&
    typeof event.kind === 'string'
  )
}

/** `"<startedAt>-<seq>"`, as the stream numbers its events; null for anything else. */
export const parseEventId = (id: string): { readonly startedAt: number; readonly seq: number } | null => {
  const match = /^(\d+)-(\d+)$/.exec(id)
  return match === null ? null : { startedAt: Number(match[1]), seq: Number(match[2]) }
}

/** Where to go on reading, or null to begin at what is new. */
export const resumeId = (log: EventLog): string | null => {
  const last = log.events.at(-1)
  return log.startedAt === null ? null : `${log.startedAt}-${last?.seq ?? 0}`
}

const PREFIX: Readonly<Record<Exclude<EventFilter, 'all'>, string>> = {
  members: 'member.',
  tasks: 'task.',
  state: 'state.',
  node: 'node.',
}

export interface EventQuery {
  readonly filter: EventFilter
  /** Only what this member or this task had a part in. */
  readonly about?: string
  readonly text?: string
  /**
   * Leaves out what another event of the list says as well: the start that ends a move,
   * and the claims that Shoal writes into its own spaces for it.
   */
  readonly isBrief?: boolean
}

/** Newest first, at most `limit`. `sentenceOf` is what the text is looked for in. */
export const selectEvents = (
  events: readonly MeshEvent[],
  { filter, about, text = '', isBrief = false }: EventQuery,
  sentenceOf: (event: MeshEvent) => string,
  limit: number,
): MeshEvent[] => {
  const found: MeshEvent[] = []
  const wanted = text.trim().toLowerCase()
  for (let i = events.length - 1; i >= 0 && found.length < limit; i--) {
    const event = events[i] as MeshEvent
    if (filter !== 'all' && !event.kind.startsWith(PREFIX[filter])) continue
    if (about !== undefined && !isAbout(event, about)) continue
    if (isBrief && (isHousekeeping(event) || isEchoOfMove(events, i))) continue
    if (wanted !== '' && !sentenceOf(event).toLowerCase().includes(wanted)) continue
    found.push(event)
  }
  return found
}

const isAbout = (event: MeshEvent, id: string): boolean =>
  event.member === id || event.task === id || event.node === id || event.from === id || event.to === id

const isHousekeeping = ({ kind, space }: MeshEvent): boolean =>
  kind === 'state.changed' && typeof space === 'string' && space.startsWith('shoal.')

const ECHO_WITHIN = 50

/** A copy that moves is said to have moved, and then to have started, with one epoch. */
const isEchoOfMove = (events: readonly MeshEvent[], index: number): boolean => {
  const { kind, task, epoch } = events[index] as MeshEvent
  if (kind !== 'task.started') return false
  return events
    .slice(Math.max(0, index - ECHO_WITHIN), index + ECHO_WITHIN)
    .some(other => other.kind === 'task.moved' && other.task === task && other.epoch === epoch)
}
