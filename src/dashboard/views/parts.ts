// Small parts that every view uses: signs for verdicts and phases (a shape and a word, never
// colour alone), links to a member or a task, times, and a button that asks before it acts.

import { html } from 'htm/preact'
import type { VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { formatAge } from '../format.js'
import type { Health, Member, Verdict } from '../model.js'
import type { Session, State } from '../session.js'

export interface ViewProps {
  readonly state: State
  readonly session: Session
}

/** Paths in a box from -10 to 10: circle, diamond, cross in a square, hollow circle. */
export const verdictPath: Readonly<Record<Verdict, string>> = {
  alive: 'M0-8.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 1 0 0-17z',
  suspect: 'M0-10.5 10.5 0 0 10.5-10.5 0z',
  dead: 'M-8-8H8V8H-8z',
  left: 'M0-8a8 8 0 1 0 0 16 8 8 0 1 0 0-16z',
}

/** What is drawn on the shape, in the colour of the ground. */
export const verdictMark: Readonly<Record<Verdict, string>> = {
  alive: '',
  suspect: 'M0-5v5.5M0 4v.6',
  dead: 'M-4-4 4 4M4-4-4 4',
  left: 'M-4 0h8',
}

export const VerdictSign = ({ verdict }: { verdict: Verdict }): VNode =>
  html`<svg class="sign" viewBox="-11 -11 22 22" aria-hidden="true" data-verdict=${verdict}>
    <path class="sign-shape" d=${verdictPath[verdict] ?? ''} />
    <path class="sign-mark" d=${verdictMark[verdict] ?? ''} />
  </svg>`

export const VerdictWord = ({ member }: { member: Member }): VNode =>
  html`<span class="verdict" data-verdict=${member.verdict}>
    <${VerdictSign} verdict=${member.verdict} />${member.verdict}${
      member.cause !== null && member.verdict !== 'alive' && member.cause !== member.verdict
        ? html` <span class="quiet">${member.cause}</span>`
        : null
    }
  </span>`

const PHASE_SIGN: Readonly<Record<string, string>> = {
  running: '●',
  starting: '◐',
  stopping: '◑',
  waiting: '○',
  stopped: '■',
  failed: '✕',
}

export const PhaseWord = ({ phase }: { phase: string }): VNode =>
  html`<span class="phase" data-phase=${phase}><span aria-hidden="true">${PHASE_SIGN[phase] ?? '?'}</span> ${phase}</span>`

export const HealthWord = ({ health, reasons }: { health: Health; reasons: readonly string[] }): VNode =>
  html`<span class="health" data-health=${health}>${
    health === 'ok' ? null : html`<span aria-hidden="true">${health === 'failing' ? '▼ ' : '▲ '}</span>`
  }${health}${reasons.length === 0 ? null : html` <span class="quiet">${reasons.join(', ')}</span>`}</span>`

export const memberHref = (id: string): string => `#/member/${encodeURIComponent(id)}`
export const taskHref = (id: string): string => `#/task/${encodeURIComponent(id)}`

export const MemberLink = ({ id, state }: { id: string; state: State }): VNode =>
  html`<a class="ref" href=${memberHref(id)} title=${id}>${nameOf(state, id)}</a>`

export const TaskLink = ({ id }: { id: string }): VNode => html`<a class="ref" href=${taskHref(id)}>${id}</a>`

export const nameOf = (state: State, id: string): string =>
  state.names.get(id) ?? (id.length > 10 ? `…${id.slice(-6)}` : id)

/** A text that rewrites itself each second, without the rest of the page. */
export const Ticking = ({ text }: { text: () => string }): VNode => {
  const [, again] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => again(n => n + 1), 1_000)
    return () => clearInterval(timer)
  }, [])
  return html`<span class="ticking">${text()}</span>`
}

export const Ago = ({ at, state }: { at: number; state: State }): VNode =>
  html`<${Ticking} text=${() => formatAge(Date.now() + state.clockOffsetMs - at)} />`

export interface ActionProps {
  readonly label: string
  /** What it will do, in a sentence; it is asked before anything happens. Empty: done at once. */
  readonly question?: string
  readonly confirm?: string
  readonly isDanger?: boolean
  readonly run: () => Promise<unknown>
  readonly done?: string
}

/** A button that asks first, says what came of it, and keeps the focus where it was. */
export const Action = ({
  label,
  question = '',
  confirm = label,
  isDanger,
  run,
  done = 'done',
}: ActionProps): VNode => {
  const [stage, setStage] = useState<'idle' | 'asking' | 'busy'>('idle')
  const [word, setWord] = useState('')
  const opener = useRef<HTMLButtonElement>(null)
  const first = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    if (stage === 'asking') first.current?.focus()
  }, [stage])
  const close = (): void => {
    setStage('idle')
    requestAnimationFrame(() => opener.current?.focus())
  }
  const go = async (): Promise<void> => {
    setStage('busy')
    setWord('')
    try {
      await run()
      setWord(done)
    } catch (error) {
      setWord(error instanceof Error ? error.message : String(error))
    }
    close()
  }
  const style = `button${isDanger === true ? ' danger' : ''}`
  const outcome = html`<span class="outcome" role="status">${word}</span>`
  if (stage === 'asking')
    return html`<span class="action asking" role="group" aria-label=${question}
      onKeyDown=${(event: KeyboardEvent) => {
        if (event.key === 'Escape') close()
      }}>
      <span class="question">${question}</span>
      <button ref=${first} class=${style} onClick=${go}>${confirm}</button>
      <button class="button plain" onClick=${close}>Cancel</button>
    </span>`
  return html`<span class="action">
    <button ref=${opener} class=${style} disabled=${stage === 'busy'}
      onClick=${question === '' ? go : () => setStage('asking')}>${label}</button>${outcome}
  </span>`
}

export const Empty = ({ children }: { children: unknown }): VNode => html`<p class="empty">${children}</p>`
