// The frame around the views: where the page is (the hash), how the node is, what needs a
// token, and the words that a screen reader hears when something changes.

import { html } from 'htm/preact'
import type { VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { count, describeEvent, formatAge, formatClock, formatSpan } from './format.js'
import { isWaiting } from './model.js'
import type { Session, State } from './session.js'
import { MemberPage, MembersView, memberTitle } from './views/members.js'
import { MeshView } from './views/mesh.js'
import { memberHref, nameOf, Ticking, VerdictSign, type ViewProps } from './views/parts.js'
import { TaskPage, TasksView } from './views/tasks.js'
import { Timeline } from './views/timeline.js'

export interface Route {
  readonly view: 'mesh' | 'members' | 'tasks' | 'events' | 'member' | 'task'
  readonly id: string
}

const VIEWS = new Set(['members', 'tasks', 'events', 'member', 'task'])

export const parseRoute = (hash: string): Route => {
  const [view = '', id = ''] = hash.replace(/^#\/?/, '').split('/')
  if (!VIEWS.has(view)) return { view: 'mesh', id: '' }
  try {
    return { view: view as Route['view'], id: decodeURIComponent(id) }
  } catch {
    return { view: 'mesh', id: '' }
  }
}

export const App = ({ session }: { session: Session }): VNode => {
  const [, again] = useState(0)
  const [route, setRoute] = useState(parseRoute(location.hash))
  const main = useRef<HTMLElement>(null)
  useEffect(() => session.subscribe(() => again(n => n + 1)), [session])
  useEffect(() => {
    const go = (): void => {
      setRoute(parseRoute(location.hash))
      scrollTo(0, 0)
      // A reader is told of the new page by its heading.
      requestAnimationFrame(() => main.current?.querySelector<HTMLElement>('h2')?.focus())
    }
    addEventListener('hashchange', go)
    return () => removeEventListener('hashchange', go)
  }, [])
  const { state } = session
  useEffect(() => {
    document.title = titleOf(state, route)
  })
  const props: ViewProps = { state, session }
  const isEmpty = state.members.size === 0
  return html`<div class="page" data-connection=${state.connection}>
    <a class="skip" href="#main" onClick=${(event: Event) => {
      event.preventDefault()
      main.current?.focus()
    }}>Skip to the content</a>
    <${Header} state=${state} route=${route} />
    <${Banner} ...${props} />
    <main id="main" ref=${main} tabindex="-1" data-stale=${state.connection === 'unreachable' || state.connection === 'token'}>
      ${isEmpty && state.connection === 'connecting' ? html`<p class="empty">Reading the mesh…</p>` : null}
      ${isEmpty ? null : html`<${View} ...${props} route=${route} />`}
    </main>
    <${Footer} state=${state} />
    <${Announcer} state=${state} />
  </div>`
}

const View = ({ state, session, route }: ViewProps & { readonly route: Route }): VNode => {
  const props = { state, session }
  switch (route.view) {
    case 'members':
      return html`<${MembersView} ...${props} />`
    case 'tasks':
      return html`<${TasksView} ...${props} />`
    case 'events':
      return html`<section aria-labelledby="events-title"><h2 id="events-title" tabindex="-1">Events</h2><${Timeline} state=${state} first=${200} hasFilters /></section>`
    case 'member':
      return html`<${MemberPage} key=${route.id} ...${props} id=${route.id} />`
    case 'task':
      return html`<${TaskPage} key=${route.id} ...${props} id=${route.id} />`
    case 'mesh':
      return html`<${MeshView} ...${props} />`
  }
}

const NAV = [
  ['mesh', 'Mesh', '#/'],
  ['members', 'Members', '#/members'],
  ['tasks', 'Tasks', '#/tasks'],
  ['events', 'Events', '#/events'],
] as const

const Header = ({ state, route }: { state: State; route: Route }): VNode => {
  const section = route.view === 'member' ? 'members' : route.view === 'task' ? 'tasks' : route.view
  const { self } = state
  const verdicts = { alive: 0, suspect: 0, dead: 0, left: 0 }
  for (const { verdict } of state.members.values()) if (verdict in verdicts) verdicts[verdict]++
  let running = 0
  let waiting = 0
  for (const task of state.tasks.values())
    for (const copy of task.copies) {
      if (copy.phase === 'running') running++
      else if (isWaiting(copy)) waiting++
    }
  return html`<header>
    <div class="bar">
      <h1><svg viewBox="0 0 32 32" aria-hidden="true"><path d="M8 22 16 8l9 13zM16 8l-2 15" /><circle cx="8" cy="22" r="4" /><circle cx="16" cy="8" r="4" /><circle cx="25" cy="21" r="4" /></svg>Shoal</h1>
      ${self === null ? null : html`<p class="where-am-i">seen from <a href=${memberHref(self.id)}>${nameOf(state, self.id)}</a></p>`}
      <${Status} state=${state} />
    </div>
    <div class="bar second">
      <nav aria-label="Views">${NAV.map(([id, label, href]) => html`<a key=${id} href=${href} aria-current=${section === id ? 'page' : null}>${label}</a>`)}</nav>
      <ul class="counts" aria-label="In numbers">
        ${(['alive', 'suspect', 'dead'] as const).map(verdict => (verdict === 'alive' || verdicts[verdict] > 0 ? html`<li key=${verdict} data-count=${verdict}><${VerdictSign} verdict=${verdict} /><b>${verdicts[verdict]}</b> ${verdict}</li>` : null))}
        <li data-count="running"><span class="phase" data-phase="running" aria-hidden="true">●</span><b>${running}</b> running</li>
        ${waiting > 0 ? html`<li data-count="waiting"><span class="phase" data-phase="waiting" aria-hidden="true">○</span><b>${waiting}</b> waiting</li>` : null}
      </ul>
    </div>
  </header>`
}

/** The age of the view now: as the node said it, and the time since. */
const viewAgeNow = ({ viewAge }: State): number =>
  viewAge === null ? Number.NaN : viewAge.ms + Date.now() - viewAge.at

const Status = ({ state }: { state: State }): VNode => {
  const { connection, isIsolated } = state
  if (connection === 'live')
    return html`<p class="status" data-status=${isIsolated ? 'isolated' : 'live'}><span class="lamp" aria-hidden="true">${isIsolated ? '▲' : '●'}</span>${isIsolated ? 'isolated' : 'live'}<span class="age"><span class="age-word">, view</span> <${Ticking} text=${() => formatSpan(viewAgeNow(state))} /><span class="age-word"> old</span></span></p>`
  const word = { connecting: 'connecting', unreachable: 'no contact', token: 'token needed' }[connection]
  return html`<p class="status" data-status=${connection}><span class="lamp" aria-hidden="true">${connection === 'connecting' ? '◌' : '✕'}</span>${word}</p>`
}

const Banner = ({ state, session }: ViewProps): VNode | null => {
  if (state.connection === 'token' || state.needsToken)
    return html`<${TokenForm} state=${state} session=${session} />`
  if (state.connection === 'unreachable') {
    const name = state.self === null ? '' : nameOf(state, state.self.id)
    return html`<div class="banner bad-banner" role="alert">
      <p><strong>${name === '' ? 'The node does not answer.' : `Node ${name} does not answer.`}</strong> ${
        state.answeredAt === null
          ? 'It may be stopped, or the network between is gone.'
          : html`What you see is from ${formatClock(state.answeredAt).slice(0, 8)}, <${Ticking} text=${() => formatAge(Date.now() - (state.answeredAt ?? 0))} /> ago. The mesh goes on without this page.`
      } Trying again by itself.</p>
      <button class="button" onClick=${() => session.retry()}>Try now</button>
    </div>`
  }
  if (state.connection === 'live' && state.isIsolated)
    return html`<div class="banner warn-banner" role="alert"><p><strong>This node is isolated.</strong> It hears no neighbor, so it cannot know how the others are. What you see is its own side. Look at another node too.</p></div>`
  return null
}

const TokenForm = ({ state, session }: ViewProps): VNode => {
  const [token, setToken] = useState('')
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => field.current?.focus(), [])
  return html`<form class="banner token" onSubmit=${(event: Event) => {
    event.preventDefault()
    if (token.trim() !== '') session.useToken(token)
  }}>
    <p><strong>${state.connection === 'token' ? 'This node asks for its token.' : 'That needs the token of this node.'}</strong> It stands in the file <code>api.token</code> in the data folder of the node. It is kept in this tab only, until you close it.</p>
    <div class="row"><label for="token">Token</label>
      <input id="token" ref=${field} type="password" autocomplete="off" spellcheck=${false} value=${token}
        onInput=${(event: InputEvent) => setToken((event.target as HTMLInputElement).value)} />
      <button class="button" type="submit">Use it</button>
      ${state.connection === 'token' ? null : html`<button class="button plain" type="button" onClick=${() => session.askForToken(false)}>Not now</button>`}
    </div>
  </form>`
}

const Footer = ({ state: { self } }: { state: State }): VNode | null =>
  self === null
    ? null
    : html`<footer>Shoal ${self.version ?? ''} · ${self.meshId ? html`mesh <span class="mono">${self.meshId}</span>` : 'playground: no mesh key'} · node <span class="mono">${self.id}</span></footer>`

const titleOf = (state: State, route: Route): string => {
  let gone = 0
  for (const { verdict } of state.members.values()) if (verdict === 'dead' || verdict === 'suspect') gone++
  const where =
    route.view === 'member' ? memberTitle(state, route.id) : route.view === 'task' ? route.id : route.view
  const mark = state.connection === 'unreachable' ? 'no contact · ' : gone > 0 ? `(${gone}) ` : ''
  return `${mark}${where} · Shoal`
}

const ANNOUNCE_EVERY_MS = 1_500
const ANNOUNCED_MAX = 3

/** Speaks of members and moves, a few at a time: a storm of events is told as a number. */
const Announcer = ({ state }: { state: State }): VNode => {
  const [words, setWords] = useState('')
  const seen = useRef<number | null>(null)
  const latest = useRef(state)
  latest.current = state
  useEffect(() => {
    const timer = setInterval(() => {
      const now = latest.current
      const newest = now.log.events.at(-1)?.seq ?? 0
      const from = seen.current
      seen.current = newest
      if (from === null || newest <= from) return
      const fresh = now.log.events.filter(
        ({ seq, kind }) =>
          seq > from &&
          (kind.startsWith('member.') ||
            kind === 'task.moved' ||
            kind === 'task.failed' ||
            kind.startsWith('node.')),
      )
      if (fresh.length === 0) return
      const told = fresh.slice(-ANNOUNCED_MAX).map(event => {
        const { subject, text } = describeEvent(event, id => nameOf(now, id))
        const who = subject === null ? '' : subject.kind === 'member' ? nameOf(now, subject.id) : subject.id
        return `${who} ${text}`
      })
      const more = fresh.length - told.length
      setWords(`${told.join('. ')}${more > 0 ? `. And ${count(more, 'more event')}` : ''}`)
    }, ANNOUNCE_EVERY_MS)
    return () => clearInterval(timer)
  }, [])
  return html`<div class="sr" aria-live="polite">${words}</div>`
}
