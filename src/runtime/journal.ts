// What happened, as this node saw it: the last events with their numbers (contract,
// section 5), for whoever asks later and for whoever listens now. Numbers begin at 1
// with the process and have no gaps, so a reader that was away knows whether it missed
// something. Old events are forgotten, never summed up.

import type { MeshEvent } from '../core/mesh-event.js'

export const JOURNAL_EVENTS_MAX = 10_000

export type JournalEvent = MeshEvent & { readonly seq: number }

export type JournalListener = (event: JournalEvent) => void

export interface Journal {
  /** Adds an event and tells whoever listens. */
  add(event: MeshEvent): JournalEvent
  /** What is kept of the events after this number, oldest first. */
  since(seq: number): readonly JournalEvent[]
  /** The number of the newest event, 0 before the first. */
  readonly lastSeq: number
  /** Tells of every event after this number, first of those that are kept; returns how to stop it. */
  subscribe(seq: number, listener: JournalListener): () => void
}

/** `onError` hears of a listener that threw; the others are told all the same. */
export const createJournal = (
  onError: (error: unknown) => void,
  eventsMax: number = JOURNAL_EVENTS_MAX,
): Journal => {
  const ring: JournalEvent[] = []
  const listeners = new Set<{ readonly tell: JournalListener; next: number }>()
  let lastSeq = 0

  const since = (seq: number): JournalEvent[] => {
    const found: JournalEvent[] = []
    const first = Math.max(seq, lastSeq - ring.length, 0) + 1
    for (let n = first; n <= lastSeq; n++) found.push(ring[(n - 1) % eventsMax] as JournalEvent)
    return found
  }
  /** An event that a listener causes is told after the one that it hears of, to everybody in order. */
  const tellAll = (): void => {
    for (const listener of listeners) {
      for (const event of since(listener.next - 1)) {
        if (event.seq < listener.next || !listeners.has(listener)) continue
        listener.next = event.seq + 1
        try {
          listener.tell(event)
        } catch (error) {
          onError(error)
        }
      }
    }
  }
  return {
    add(event) {
      // `seq` and `at` first: that is the order in which people read them.
      const { at, kind, ...rest } = event
      const numbered = { seq: ++lastSeq, at, kind, ...rest } as JournalEvent
      ring[(lastSeq - 1) % eventsMax] = numbered
      tellAll()
      return numbered
    },
    since,
    get lastSeq() {
      return lastSeq
    },
    subscribe(seq, tell) {
      // A number from an earlier life of the process: everything is new to this reader.
      const listener = { tell, next: seq > lastSeq ? 1 : Math.max(0, seq) + 1 }
      listeners.add(listener)
      tellAll()
      return () => listeners.delete(listener)
    },
  }
}
