// The members as a table (the drawing's equal for readers and for two hundred of them)
// and the page of one member with what can be done about it.

import { html } from 'htm/preact'
import type { VNode } from 'preact'
import { useState } from 'preact/hooks'
import { compareNames, count, formatGeneration, shortId } from '../format.js'
import { isHeld, listOf, type Member, type Move } from '../model.js'
import type { Session, State } from '../session.js'
import {
  Action,
  Ago,
  Empty,
  HealthWord,
  MemberLink,
  nameOf,
  TaskLink,
  VerdictSign,
  VerdictWord,
  type ViewProps,
} from './parts.js'
import { CopyTable } from './tasks.js'
import { Timeline } from './timeline.js'

const URGENCY: Readonly<Record<string, number>> = { dead: 0, suspect: 1, alive: 3, left: 4 }

const urgency = (member: Member): number =>
  member.verdict === 'alive' && member.health !== 'ok' ? 2 : (URGENCY[member.verdict] ?? 0)

/** Those that need a look first, then by name. */
export const sortMembers = (state: State): Member[] =>
  [...state.members.values()].sort(
    (a, b) => urgency(a) - urgency(b) || compareNames(nameOf(state, a.id), nameOf(state, b.id)),
  )

/** How many copies each member has now. */
export const copiesPerMember = (state: State): ReadonlyMap<string, number> => {
  const found = new Map<string, number>()
  for (const task of state.tasks.values())
    for (const copy of task.copies)
      if (isHeld(copy) && copy.node !== null) found.set(copy.node, (found.get(copy.node) ?? 0) + 1)
  return found
}

const matches = (state: State, member: Member, text: string): boolean =>
  [
    nameOf(state, member.id),
    member.id,
    member.verdict,
    member.health,
    member.draining ? 'draining' : '',
    ...Object.entries(member.labels ?? {}).map(([k, v]) => `${k}=${v}`),
  ]
    .join(' ')
    .toLowerCase()
    .includes(text.trim().toLowerCase())

export const Labels = ({ labels }: { labels: Readonly<Record<string, string>> }): VNode =>
  html`<span class="labels">${Object.entries(labels ?? {}).map(
    ([name, value]) => html`<span key=${name} class="label">${name}=${String(value)}</span>`,
  )}</span>`

export const MembersView = ({ state }: ViewProps): VNode => {
  const [text, setText] = useState('')
  const copies = copiesPerMember(state)
  const members = sortMembers(state).filter(member => matches(state, member, text))
  return html`<section aria-labelledby="members-title">
    <div class="head">
      <h2 id="members-title">Members</h2>
      <input type="search" placeholder="Name, label, verdict" aria-label="Search the members" value=${text}
        onInput=${(event: InputEvent) => setText((event.target as HTMLInputElement).value)} />
    </div>
    <div class="scroll"><table>
      <caption class="sr">Members of the mesh; those that need a look come first</caption>
      <thead><tr>
        <th scope="col">Member</th><th scope="col">Verdict</th><th scope="col">Health</th>
        <th scope="col" class="number">Tasks</th><th scope="col" class="wide number">RTT</th>
        <th scope="col" class="wide">Labels</th><th scope="col" class="number wide">Since</th>
      </tr></thead>
      <tbody>${members.map(
        member => html`<tr key=${member.id} data-row-member=${member.id} data-verdict=${member.verdict}>
          <th scope="row"><${MemberLink} id=${member.id} state=${state} />${
            member.id === state.self?.id ? html` <span class="tag">this node</span>` : null
          }${member.draining ? html` <span class="tag">draining</span>` : null}</th>
          <td><${VerdictWord} member=${member} /></td>
          <td>${isGone(member) ? '' : html`<${HealthWord} health=${member.health} reasons=${listOf(member.reasons)} />`}</td>
          <td class="number">${copies.get(member.id) ?? 0}</td>
          <td class="number wide">${member.rttMs === null || member.rttMs === undefined ? '' : `${Number(member.rttMs).toFixed(1)} ms`}</td>
          <td class="wide"><${Labels} labels=${member.labels} /></td>
          <td class="number wide"><${Ago} at=${member.since} state=${state} /></td>
        </tr>`,
      )}</tbody>
    </table></div>
    ${members.length === 0 ? html`<${Empty}>${state.members.size === 0 ? 'No members known yet.' : 'No member matches.'}<//>` : null}
  </section>`
}

const isGone = ({ verdict }: Member): boolean => verdict === 'dead' || verdict === 'left'

const CONTROL_WORDS: Readonly<Record<string, string>> = {
  kill: 'Kill',
  freeze: 'Freeze',
  cut: 'Cut off',
  revive: 'Revive',
}

/** Only what can have an effect: who is gone cannot be killed, who is well not revived. */
const controlsFor = (state: State, id: string): readonly string[] => {
  const verdict = state.members.get(id)?.verdict
  if (verdict === 'suspect') return state.controls
  return state.controls.filter(action => (action === 'revive') === (verdict !== 'alive'))
}

/** The demo's levers; a real node has none. */
export const DemoControls = ({ state, session, id }: ViewProps & { readonly id: string }): VNode | null => {
  if (state.controls.length === 0) return null
  return html`<div class="demo" role="group" aria-label="Demo controls">
    ${controlsFor(state, id).map(
      action => html`<${Action} key=${action} label=${CONTROL_WORDS[action] ?? action} isDanger=${action !== 'revive'}
        run=${() => session.act('POST', '/v1/demo', { action, node: id })} done="sent" />`,
    )}
  </div>`
}

export const MemberPage = ({ state, session, id }: ViewProps & { readonly id: string }): VNode => {
  const member = state.members.get(id)
  if (member === undefined)
    return html`<section><h2>No such member</h2><p>This node knows no member <code>${id}</code>. It may have been forgotten.</p></section>`
  const watches = [...state.members.values()].filter(other => listOf<string>(other.observers).includes(id))
  const isSelf = id === state.self?.id
  const people = (ids: readonly string[]): VNode | string =>
    ids.length === 0
      ? 'nobody'
      : html`<span class="list">${ids.map(each => html`<span key=${each} class="item"><${VerdictSign} verdict=${state.members.get(each)?.verdict ?? 'dead'} /><${MemberLink} id=${each} state=${state} /></span>`)}</span>`
  return html`<article aria-labelledby="member-title">
    <p class="crumb"><a href="#/members">Members</a></p>
    <h2 id="member-title" tabindex="-1"><${VerdictSign} verdict=${member.verdict} /> ${nameOf(state, id)}${isSelf ? html` <span class="tag">this node</span>` : null}</h2>
    <p class="id">${id}</p>
    <div class="columns">
      <div>
        <dl>
          <dt>Verdict</dt><dd><${VerdictWord} member=${member} /> for <${Ago} at=${member.since} state=${state} /></dd>
          ${isGone(member) ? null : html`<dt>Health</dt><dd><${HealthWord} health=${member.health} reasons=${listOf(member.reasons)} /></dd>`}
          <dt>Takes tasks</dt><dd>${takesTasks(member)}</dd>
          <dt>Labels</dt><dd>${Object.keys(member.labels ?? {}).length === 0 ? 'none' : html`<${Labels} labels=${member.labels} />`}</dd>
          <dt>Runs</dt><dd>${listOf<string>(member.runs).length === 0 ? 'nothing' : html`<span class="labels">${listOf<string>(member.runs).map(each => html`<span key=${each} class="label">${each}</span>`)}</span>`}</dd>
          <dt>Capacity</dt><dd>${member.capacity === null ? 'unlimited' : String(member.capacity)}</dd>
          <dt>Addresses</dt><dd class="mono">${listOf<string>(member.addrs).map(address => html`<div key=${address}>${address}</div>`)}</dd>
          <dt>Round trip</dt><dd>${member.rttMs === null || member.rttMs === undefined ? (isSelf ? 'this node itself' : 'not a neighbor of this node') : `${Number(member.rttMs).toFixed(1)} ms`}</dd>
          <dt>Observed by</dt><dd>${people(listOf(member.observers))}</dd>
          <dt>Observes</dt><dd>${people(watches.map(other => other.id))}</dd>
          <dt>Generation</dt><dd>${formatGeneration(member.generation)}</dd>
        </dl>
      </div>
      <div class="controls">
        <h3>Controls</h3>
        <${Drain} state=${state} session=${session} member=${member} />
        <${Rehearsal} state=${state} session=${session} member=${member} />
        ${
          isGone(member)
            ? html`<div class="control"><p>Strike it, if it will not return. It can join again later.</p>
              <${Action} label="Forget" isDanger question=${`Forget ${nameOf(state, id)}?`} run=${() => session.act('DELETE', `/v1/members/${encodeURIComponent(id)}`)} /></div>`
            : null
        }
        ${state.controls.length > 0 ? html`<div class="control"><p>This is a demo: these happen to the real process.</p><${DemoControls} state=${state} session=${session} id=${id} /></div>` : null}
      </div>
    </div>
    <h3>Tasks on it</h3>
    <${CopyTable} state=${state} rows=${[...state.tasks.values()].flatMap(task => task.copies.filter(copy => copy.node === id).map(copy => ({ task, copy })))} shows="task" none="It has no tasks." />
    <h3>What happened to it</h3>
    <${Timeline} key=${id} state=${state} about=${id} first=${30} hasFilters />
  </article>`
}

const takesTasks = (member: Member): string => {
  if (isGone(member)) return 'no, it is not here'
  const obstacles = [
    member.draining ? 'it is draining' : '',
    member.settled ? '' : 'it came back and has yet to prove stable',
    member.health === 'failing' ? 'it says that it is failing' : '',
    member.capacity === 0 ? 'its capacity is 0' : '',
  ].filter(each => each !== '')
  return obstacles.length === 0 ? 'yes' : `no: ${obstacles.join('; ')}`
}

/** A node gives its tasks away on its own word; the others can only be told where to say it. */
const Drain = ({
  state,
  session,
  member,
}: {
  state: State
  session: Session
  member: Member
}): VNode | null => {
  if (isGone(member)) return null
  if (member.id !== state.self?.id)
    return html`<div class="control"><p>${member.draining ? 'It is giving its tasks away.' : 'A drain is asked of the node itself:'} ${member.draining ? null : html`<code>shoal drain</code> there, or its own page.`}</p></div>`
  const isOn = state.self?.draining === true || member.draining
  return html`<div class="control">
    <p>${isOn ? 'This node gives its tasks away and takes no new ones.' : 'Give the tasks of this node to others, before maintenance.'}</p>
    ${
      isOn
        ? html`<${Action} key="off" label="End the drain" run=${() => session.act('POST', '/v1/drain', { on: false })} done="The drain ended." />`
        : html`<${Action} key="on" label="Drain this node" question="Give all its tasks away?" confirm="Drain" run=${() => session.act('POST', '/v1/drain', { on: true })} done="Draining." />`
    }
  </div>`
}

/** What would move if it were lost, from the placement itself. */
const Rehearsal = ({
  state,
  session,
  member,
}: {
  state: State
  session: Session
  member: Member
}): VNode | null => {
  const [moves, setMoves] = useState<readonly Move[] | null>(null)
  if (isGone(member)) return null
  const rehearse = async (): Promise<void> => {
    const answer = (await session.act('POST', '/v1/plan', { without: [member.id] })) as { moves?: unknown }
    setMoves(listOf<Move>(answer?.moves))
  }
  const stuck = moves?.filter(({ to }) => to === null).length ?? 0
  return html`<div class="control">
    <p>What would move if it were lost? Nothing is changed.</p>
    <${Action} label="Rehearse its loss" run=${rehearse} done="" />
    ${
      moves === null
        ? null
        : html`<div role="status"><p>${moves.length === 0 ? 'Nothing would move.' : `${count(moves.length, 'copy', 'copies')} would move${stuck === 0 ? '.' : `; ${stuck} would fit nowhere.`}`}</p>
          ${moves.length === 0 ? null : html`<ul class="moves">${moves.slice(0, 200).map((move, i) => html`<li key=${i}><${TaskLink} id=${move.task} /> → ${move.to === null ? html`<strong class="bad">✕ nowhere</strong>` : html`<${MemberLink} id=${move.to} state=${state} />`}</li>`)}</ul>`}</div>`
    }
  </div>`
}

export const memberTitle = (state: State, id: string): string => state.names.get(id) ?? shortId(id)
