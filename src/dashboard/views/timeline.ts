// What happened, newest first: time, a mark for its weight, the subject as a link and a
// sentence. The filters are buttons and a search field; the list grows on request.

import { html } from 'htm/preact'
import type { VNode } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import { type EventFilter, selectEvents } from '../event-log.js'
import { count, describeEvent, formatClock } from '../format.js'
import type { MeshEvent } from '../model.js'
import type { State } from '../session.js'
import { Empty, memberHref, nameOf, taskHref } from './parts.js'

const TONE_SIGN = { good: '●', bad: '✕', warn: '▲', quiet: '·' } as const

const FILTERS: readonly (readonly [EventFilter, string])[] = [
  ['all', 'All'],
  ['members', 'Members'],
  ['tasks', 'Tasks'],
  ['state', 'State'],
  ['node', 'This node'],
]

const sentenceOf = (state: State, event: MeshEvent): string => {
  const { subject, text } = describeEvent(event, id => nameOf(state, id))
  if (subject === null) return text
  const name = subject.kind === 'member' ? memberName(state, event, subject.id) : subject.id
  return `${name} ${text}`
}

/** A member that is forgotten by now still has the name that the event gives. */
const memberName = (state: State, event: MeshEvent, id: string): string =>
  state.names.get(id) ??
  (typeof event.name === 'string' && event.name !== '' ? event.name : nameOf(state, id))

const Row = ({ state, event }: { state: State; event: MeshEvent }): VNode => {
  const { subject, text, tone } = describeEvent(event, id => nameOf(state, id))
  return html`<li class="event" data-tone=${tone} data-seq=${event.seq}>
    <time>${formatClock(event.at)}</time>
    <span class="tone" aria-hidden="true">${TONE_SIGN[tone]}</span>
    <span class="sentence">${
      subject === null
        ? null
        : subject.kind === 'member'
          ? html`<a class="ref" href=${memberHref(subject.id)}>${memberName(state, event, subject.id)}</a> `
          : html`<a class="ref" href=${taskHref(subject.id)}>${subject.id}</a> `
    }${text}</span>
  </li>`
}

export interface TimelineProps {
  readonly state: State
  readonly about?: string
  readonly first: number
  readonly hasFilters: boolean
}

export const Timeline = ({ state, about, first, hasFilters }: TimelineProps): VNode => {
  const [filter, setFilter] = useState<EventFilter>('all')
  const [text, setText] = useState('')
  const [limit, setLimit] = useState(first)
  const { events } = state.log
  const shown = useMemo(
    () =>
      selectEvents(
        events,
        { filter, text, isBrief: !hasFilters, ...(about === undefined ? {} : { about }) },
        event => sentenceOf(state, event),
        limit + 1,
      ),
    [events, about, filter, text, limit, state.names],
  )
  return html`<div class="timeline">
    ${
      hasFilters
        ? html`<div class="filters" role="group" aria-label="Which events">
          ${FILTERS.map(
            ([id, label]) =>
              html`<button key=${id} class="chip" aria-pressed=${filter === id} onClick=${() => setFilter(id)}>${label}</button>`,
          )}
          <input type="search" placeholder="Search" aria-label="Search the events" value=${text}
            onInput=${(event: InputEvent) => setText((event.target as HTMLInputElement).value)} />
        </div>`
        : null
    }
    ${
      shown.length === 0
        ? html`<${Empty}>${events.length === 0 ? 'Nothing has happened since this node started.' : 'No event matches.'}<//>`
        : html`<ol class="events" aria-label="Events, newest first">
          ${shown.slice(0, limit).map(event => html`<${Row} key=${event.seq} state=${state} event=${event} />`)}
        </ol>`
    }
    ${
      shown.length > limit && hasFilters
        ? html`<button class="button plain" onClick=${() => setLimit(limit + 200)}>Show more</button>`
        : null
    }
    ${hasFilters && about === undefined ? html`<p class="quiet small">${count(events.length, 'event')} held by this page, at most 2,000.</p>` : null}
  </div>`
}
