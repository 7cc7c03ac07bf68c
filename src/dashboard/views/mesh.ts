// The first view: the drawing with what stands out beside it, and the newest events.

import { html } from 'htm/preact'
import type { VNode } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import { compareNames, count, formatWanted } from '../format.js'
import { groupLabels } from '../layout.js'
import { isWaiting, listOf } from '../model.js'
import type { State } from '../session.js'
import { CoverageChart } from './chart.js'
import { DemoControls, sortMembers } from './members.js'
import { MeshDrawing } from './mesh-drawing.js'
import { HealthWord, MemberLink, TaskLink, VerdictSign, VerdictWord, type ViewProps } from './parts.js'
import { sortTasks, TaskTable } from './tasks.js'
import { Timeline } from './timeline.js'

const GROUP_FROM = 24
const ATTENTION_MAX = 8

export const MeshView = ({ state, session }: ViewProps): VNode => {
  const labels = groupLabels(state.members.values())
  const [chosen, setChosen] = useState<string | null>(null)
  // A large mesh without groups is a cloud; where it has a zone, that is what people think in.
  const usual = state.members.size >= GROUP_FROM ? (labels.includes('zone') ? 'zone' : (labels[0] ?? '')) : ''
  const groupBy = chosen !== null && (chosen === '' || labels.includes(chosen)) ? chosen : usual
  const tasks = sortTasks(state)
  // The age of the view alone draws nothing again.
  const drawing = useMemo(
    () => html`<${MeshDrawing} state=${state} groupBy=${groupBy} />`,
    [state.members, state.tasks, state.names, state.self?.id, groupBy],
  )
  return html`<div class="mesh">
    <section class="stage" aria-labelledby="mesh-title">
      <div class="head">
        <h2 id="mesh-title">Mesh</h2>
        ${
          labels.length === 0
            ? null
            : html`<label class="group-by">Group by <select value=${groupBy} onChange=${(event: Event) => setChosen((event.target as HTMLSelectElement).value)}>
              <option value="">nothing</option>${labels.map(label => html`<option key=${label} value=${label}>${label}</option>`)}
            </select></label>`
        }
      </div>
      ${drawing}
      <${Legend} />
    </section>
    <aside>
      <${Attention} state=${state} />
      ${state.controls.length > 0 ? html`<${DemoPanel} state=${state} session=${session} />` : null}
      <section aria-labelledby="latest-title">
        <div class="head"><h2 id="latest-title">Latest</h2><a href="#/events">All events</a></div>
        <${Timeline} state=${state} first=${14} hasFilters=${false} />
      </section>
    </aside>
    <section class="below" aria-labelledby="where-title">
      <div class="head"><h2 id="where-title">Tasks</h2>${tasks.length > 20 ? html`<a href="#/tasks">All ${tasks.length}</a>` : null}</div>
      <${TaskTable} state=${state} tasks=${tasks.slice(0, 20)} />
      <${CoverageChart} state=${state} />
    </section>
  </div>`
}

const Legend = (): VNode =>
  html`<ul class="legend" aria-label="Signs in the drawing">
    ${(['alive', 'suspect', 'dead', 'left'] as const).map(verdict => html`<li key=${verdict}><${VerdictSign} verdict=${verdict} /> ${verdict}</li>`)}
    <li><span class="ring" aria-hidden="true"></span> strained or failing</li>
    <li><span class="dot-sign" aria-hidden="true"></span> a copy of a task</li>
    <li><span class="line-sign" aria-hidden="true"></span> observes</li>
  </ul>`

/** What an operator should look at, or the word that there is nothing. */
const Attention = ({ state }: { state: State }): VNode => {
  const members = sortMembers(state).filter(
    ({ verdict, health, draining }) =>
      verdict === 'dead' || verdict === 'suspect' || (verdict === 'alive' && (health !== 'ok' || draining)),
  )
  const tasks = sortTasks(state).filter(task => task.problem !== undefined || task.copies.some(isWaiting))
  const total = members.length + tasks.length
  // Without a live view nobody can say that all is well.
  const isBlind = state.connection !== 'live' || state.isIsolated
  const isCalm = total === 0 && !isBlind
  return html`<section class="attention" data-calm=${isCalm} aria-labelledby="attention-title">
    <h2 id="attention-title">${isCalm ? 'All is well' : isBlind ? 'As it was last seen' : 'Needs a look'}</h2>
    ${
      total === 0
        ? html`<p class="quiet">${isBlind ? 'Every member was alive and every task had its copies. What is now cannot be seen from here.' : 'Every known member is alive and every task has its copies.'}</p>`
        : null
    }
    ${
      total === 0
        ? null
        : html`<ul>
        ${members
          .slice(0, ATTENTION_MAX)
          .map(
            member =>
              html`<li key=${member.id}><${MemberLink} id=${member.id} state=${state} /> ${
                member.verdict === 'alive'
                  ? member.health === 'ok'
                    ? html`<span class="quiet">draining</span>`
                    : html`<${HealthWord} health=${member.health} reasons=${listOf(member.reasons)} />`
                  : html`<${VerdictWord} member=${member} />`
              }</li>`,
          )}
        ${members.length > ATTENTION_MAX ? html`<li><a href="#/members">and ${count(members.length - ATTENTION_MAX, 'more member')}</a></li>` : null}
        ${tasks.slice(0, ATTENTION_MAX).map(task => {
          const waiting = task.copies.filter(isWaiting)
          const why = task.problem ?? waiting[0]?.reason ?? waiting[0]?.lastError ?? ''
          return html`<li key=${`t ${task.id}`}><${TaskLink} id=${task.id} /> <span class="bad">○ ${waiting.length} of ${formatWanted(task)} ${waiting[0]?.phase ?? 'not understood'}</span> <span class="quiet">${why}</span></li>`
        })}
        ${tasks.length > ATTENTION_MAX ? html`<li><a href="#/tasks">and ${count(tasks.length - ATTENTION_MAX, 'more task')}</a></li>` : null}
      </ul>`
    }
  </section>`
}

const DEMO_SHOWN_MAX = 12

const DemoPanel = ({ state, session }: ViewProps): VNode => {
  const members = [...state.members.values()]
    .filter(({ verdict }) => verdict !== 'left')
    .sort((a, b) => compareNames(state.names.get(a.id) ?? '', state.names.get(b.id) ?? ''))
  return html`<section class="demo-panel" aria-labelledby="demo-title">
    <h2 id="demo-title">Try it</h2>
    <p class="quiet">These happen to real processes. Watch the tasks move.</p>
    <ul>${members
      .slice(0, DEMO_SHOWN_MAX)
      .map(
        ({ id, verdict }) =>
          html`<li key=${id}><span class="item"><${VerdictSign} verdict=${verdict} /><${MemberLink} id=${id} state=${state} /></span><${DemoControls} state=${state} session=${session} id=${id} /></li>`,
      )}</ul>
  </section>`
}
