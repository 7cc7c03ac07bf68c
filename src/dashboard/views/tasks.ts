// The tasks with where each copy runs, and the page of one task: its spec, its copies, why
// they are where they are, and what they printed.

import { html } from 'htm/preact'
import type { VNode } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { call } from '../api.js'
import {
  compareNames,
  epochNumber,
  formatAge,
  formatClock,
  formatRun,
  formatWanted,
  formatWhen,
} from '../format.js'
import { type Copy, type Explanation, isWaiting, type LogLine, listOf, type Task } from '../model.js'
import type { State } from '../session.js'
import {
  Action,
  Ago,
  Empty,
  MemberLink,
  nameOf,
  PhaseWord,
  TaskLink,
  Ticking,
  type ViewProps,
} from './parts.js'
import { Timeline } from './timeline.js'

const TASKS_SHOWN_MAX = 500

const trouble = (task: Task): number =>
  task.problem !== undefined
    ? 0
    : task.copies.some(isWaiting)
      ? 1
      : task.copies.some(copy => copy.phase !== 'running' && copy.phase !== 'stopped')
        ? 2
        : 3

/** Those that wait or fail first, then by id. */
export const sortTasks = (state: State): Task[] =>
  [...state.tasks.values()].sort((a, b) => trouble(a) - trouble(b) || compareNames(a.id, b.id))

const matches = (state: State, task: Task, text: string): boolean =>
  [
    task.id,
    formatRun(task.run),
    formatWhen(task.when),
    ...task.copies.flatMap(copy => [
      copy.phase,
      copy.reason ?? '',
      copy.node === null ? '' : nameOf(state, copy.node),
    ]),
  ]
    .join(' ')
    .toLowerCase()
    .includes(text.trim().toLowerCase())

export const TasksView = ({ state }: ViewProps): VNode => {
  const [text, setText] = useState('')
  const tasks = sortTasks(state).filter(task => matches(state, task, text))
  return html`<section aria-labelledby="tasks-title">
    <div class="head">
      <h2 id="tasks-title">Tasks</h2>
      <input type="search" placeholder="Task, phase, member" aria-label="Search the tasks" value=${text}
        onInput=${(event: InputEvent) => setText((event.target as HTMLInputElement).value)} />
    </div>
    <${TaskTable} state=${state} tasks=${tasks.slice(0, TASKS_SHOWN_MAX)} />
    ${tasks.length > TASKS_SHOWN_MAX ? html`<p class="quiet">The first ${TASKS_SHOWN_MAX} of ${tasks.length}; search to see others.</p>` : null}
    ${tasks.length === 0 ? html`<${Empty}>${state.tasks.size === 0 ? html`No tasks yet. <code>shoal tasks apply FILE</code> adds some.` : 'No task matches.'}<//>` : null}
  </section>`
}

export const TaskTable = ({ state, tasks }: { state: State; tasks: readonly Task[] }): VNode =>
  html`<div class="scroll"><table>
    <caption class="sr">Tasks and where their copies run; those that wait or fail come first</caption>
    <thead><tr><th scope="col">Task</th><th scope="col">Where</th><th scope="col" class="wide">Runs</th><th scope="col" class="number wide">Restarts</th><th scope="col" class="number wide">Epoch age</th></tr></thead>
    <tbody>${tasks.map(task => {
      const restarts = task.copies.reduce((sum, copy) => sum + copy.restarts, 0)
      return html`<tr key=${task.id} data-row-task=${task.id}>
        <th scope="row"><${TaskLink} id=${task.id} /></th>
        <td><${Where} state=${state} task=${task} /></td>
        <td class="wide quiet">${formatRun(task.run)}<span class="when"> ${formatWhen(task.when)}</span></td>
        <td class="number wide">${restarts === 0 ? html`<span class="quiet">0</span>` : restarts}</td>
        <td class="number wide">${task.copies[0]?.epoch ? html`<${EpochAge} copy=${task.copies[0]} state=${state} />` : ''}</td>
      </tr>`
    })}</tbody>
  </table></div>`

const COPIES_SHOWN_MAX = 4

const Where = ({ state, task }: { state: State; task: Task }): VNode => {
  if (task.problem !== undefined) return html`<span class="bad">✕ not understood: ${task.problem}</span>`
  if (task.copies.length === 0)
    return html`<span class="quiet">${task.replicas === 0 ? 'paused' : 'no eligible member'}</span>`
  return html`<span class="where">${task.copies.slice(0, COPIES_SHOWN_MAX).map(
    (
      copy,
      i,
    ) => html`<span key=${`${copy.slot} ${i}`} class="copy" data-phase=${copy.phase} data-on=${copy.node ?? ''}>
      <${PhaseWord} phase=${copy.phase} />
      ${copy.node === null ? html`<span class="quiet reason"> ${copy.reason ?? ''}</span>` : html` on <${MemberLink} id=${copy.node} state=${state} />`}
      ${copy.phase === 'failed' && copy.lastError ? html`<span class="bad reason"> ${copy.lastError}</span>` : null}
    </span>`,
  )}${task.copies.length > COPIES_SHOWN_MAX ? html`<span class="quiet">and ${task.copies.length - COPIES_SHOWN_MAX} more of ${formatWanted(task)}</span>` : null}</span>`
}

/** An epoch's number counts seconds or milliseconds since 1970 at the hand-over; else its phase tells. */
export const epochSince = (copy: Copy): number => {
  const number = Number(epochNumber(copy.epoch))
  if (number > 1e12 && number < 1e13) return number
  if (number > 1e9 && number < 1e10) return number * 1_000
  return copy.since
}

const EpochAge = ({ copy, state }: { copy: Copy; state: State }): VNode =>
  html`<${Ticking} text=${() => formatAge(Date.now() + state.clockOffsetMs - epochSince(copy))} />`

export interface CopyRow {
  readonly task: Task
  readonly copy: Copy
}

export const CopyTable = ({
  state,
  rows,
  shows,
  none,
}: {
  state: State
  rows: readonly CopyRow[]
  shows: 'task' | 'member'
  none: string
}): VNode =>
  rows.length === 0
    ? html`<${Empty}>${none}<//>`
    : html`<div class="scroll"><table>
    <thead><tr><th scope="col">${shows === 'task' ? 'Task' : 'Copy'}</th><th scope="col">Phase</th>${shows === 'member' ? html`<th scope="col">Member</th>` : null}<th scope="col" class="number">For</th><th scope="col" class="number">Restarts</th><th scope="col" class="number wide">Epoch</th><th scope="col" class="wide">Last error</th></tr></thead>
    <tbody>${rows.slice(0, TASKS_SHOWN_MAX).map(
      ({ task, copy }, i) => html`<tr key=${`${task.id} ${copy.slot} ${i}`}>
        <th scope="row">${shows === 'task' ? html`<${TaskLink} id=${task.id} />` : copy.slot}</th>
        <td><${PhaseWord} phase=${copy.phase} /></td>
        ${shows === 'member' ? html`<td>${copy.node === null ? html`<span class="quiet">${copy.reason ?? 'nowhere'}</span>` : html`<${MemberLink} id=${copy.node} state=${state} />`}</td>` : null}
        <td class="number"><${Ago} at=${copy.since} state=${state} /></td>
        <td class="number">${copy.restarts}</td>
        <td class="number wide mono" title=${copy.epoch ?? ''}>${epochNumber(copy.epoch)}</td>
        <td class="wide">${copy.lastError ?? ''}</td>
      </tr>`,
    )}</tbody></table></div>`

export const TaskPage = ({ state, session, id }: ViewProps & { readonly id: string }): VNode => {
  const task = state.tasks.get(id)
  if (task === undefined)
    return html`<section><h2>No such task</h2><p>This node knows no task <code>${id}</code>. It may have been removed.</p></section>`
  const { copies, result, ...spec } = task
  // Another owner or phase is a reason to ask again.
  const stamp = copies.map(copy => `${copy.slot}${copy.node}${copy.phase}`).join()
  return html`<article aria-labelledby="task-title">
    <p class="crumb"><a href="#/tasks">Tasks</a></p>
    <h2 id="task-title" tabindex="-1">${id}</h2>
    <p class="quiet">${formatRun(task.run)}, ${formatWhen(task.when)}, wanted: ${formatWanted(task)}</p>
    ${task.problem === undefined ? null : html`<p class="bad">✕ This node does not understand the task and will not run it: ${task.problem}</p>`}
    <h3>Copies</h3>
    <${CopyTable} state=${state} rows=${copies.map(copy => ({ task, copy }))} shows="member" none=${task.replicas === 0 ? 'Paused: replicas is 0.' : 'It has no copies now.'} />
    ${result === undefined ? null : html`<h3>Result</h3><pre>${JSON.stringify(result, null, 2)}</pre>`}
    <${Action} label="Restart it" question="Stop and start every copy?" confirm="Restart" run=${() => session.act('POST', `/v1/tasks/${encodeURIComponent(id)}/restart`)} done="Restarting." />
    <h3>Why there</h3>
    <${Why} key=${`why ${id}`} state=${state} id=${id} stamp=${`${stamp} ${state.members.size}`} />
    <h3>Logs</h3>
    <${Logs} key=${`logs ${id}`} state=${state} id=${id} stamp=${stamp} />
    <h3>Spec</h3>
    <pre>${JSON.stringify(spec, null, 2)}</pre>
    <h3>What happened to it</h3>
    <${Timeline} key=${id} state=${state} about=${id} first=${30} hasFilters />
  </article>`
}

const wordOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const Why = ({ state, id, stamp }: { state: State; id: string; stamp: string }): VNode => {
  const [answer, setAnswer] = useState<Explanation | string | null>(null)
  useEffect(() => {
    let isCurrent = true
    call('GET', `/v1/tasks/${encodeURIComponent(id)}/why`).then(
      ({ body }) => isCurrent && setAnswer(body as Explanation),
      error => isCurrent && setAnswer(wordOf(error)),
    )
    return () => {
      isCurrent = false
    }
  }, [id, stamp, state.connection === 'live'])
  if (answer === null) return html`<${Empty}>Asking…<//>`
  if (typeof answer === 'string') return html`<p class="bad">${answer}</p>`
  return html`<div class="scroll tall"><table data-why>
    <caption class="sr">Every candidate, with the reasons for and against</caption>
    <thead><tr><th scope="col" class="number">Rank</th><th scope="col">Member</th><th scope="col">Eligible</th><th scope="col">Reasons</th></tr></thead>
    <tbody>${listOf<Explanation['candidates'][number]>(answer.candidates).map(
      candidate => html`<tr key=${candidate.node} data-chosen=${candidate.chosen}>
        <td class="number">${candidate.rank ?? html`<span class="quiet">none</span>`}</td>
        <th scope="row"><${MemberLink} id=${candidate.node} state=${state} />${candidate.chosen ? html` <span class="tag chosen">✓ chosen</span>` : null}</th>
        <td>${candidate.eligible ? '✓ yes' : html`<span class="quiet">✕ no</span>`}</td>
        <td>${listOf<string>(candidate.reasons)
          .map(reason => withNames(state, reason))
          .join('; ')}</td>
      </tr>`,
    )}</tbody></table></div>`
}

/** Reasons name members by id; people know them by name. */
export const withNames = (state: State, text: string): string =>
  text.replace(/\b12D3Koo\w{20,}/g, id => nameOf(state, id))

const Logs = ({ state, id, stamp }: { state: State; id: string; stamp: string }): VNode => {
  const [answer, setAnswer] = useState<readonly LogLine[] | string | null>(null)
  const load = async (): Promise<void> => {
    try {
      setAnswer(
        listOf<LogLine>(
          (await call('GET', `/v1/tasks/${encodeURIComponent(id)}/logs?lines=200`, undefined, 10_000)).body,
        ),
      )
    } catch (error) {
      setAnswer(wordOf(error))
    }
  }
  useEffect(() => {
    load()
  }, [id, stamp])
  return html`<div>
    ${
      answer === null
        ? html`<${Empty}>Asking its owner…<//>`
        : typeof answer === 'string'
          ? html`<p class="bad">${answer}</p>`
          : answer.length === 0
            ? html`<${Empty}>It has printed nothing.<//>`
            : html`<div class="logs" tabindex="0" role="region" aria-label="Log lines, oldest first">${answer.map(
                (entry, i) =>
                  html`<div key=${i} class="log" data-stream=${entry.stream}><time>${formatClock(entry.at)}</time> <span class="quiet">${nameOf(state, entry.node)}</span> ${entry.line}</div>`,
              )}</div>`
    }
    <${Action} label="Read again" run=${load} done="" />
  </div>`
}
