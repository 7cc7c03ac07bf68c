// Words and numbers for people: ages, times, short ids, the name of a member and the
// sentence for an event. Pure; every result is plain text.

import { type Member, type MeshEvent, type Task, textOf } from './model.js'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** `0.3 s`, `12 s`, `4 min`, `3 h 12 min`, `5 d`. */
export const formatSpan = (ms: number): string => {
  if (!Number.isFinite(ms)) return 'unknown'
  if (ms < 0) return '0 s'
  if (ms < 10 * SECOND) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`
  if (ms < DAY) {
    const minutes = Math.floor((ms % HOUR) / MINUTE)
    return minutes === 0 ? `${Math.floor(ms / HOUR)} h` : `${Math.floor(ms / HOUR)} h ${minutes} min`
  }
  return `${Math.floor(ms / DAY)} d`
}

/** How long ago, in whole seconds below a minute: what a table shows and rarely rewrites. */
export const formatAge = (ms: number): string => {
  if (!Number.isFinite(ms)) return 'unknown'
  return ms < MINUTE ? `${Math.max(0, Math.floor(ms / SECOND))} s` : formatSpan(ms)
}

const two = (n: number): string => String(n).padStart(2, '0')

// Made once: to make one costs more than a thousand comparisons.
const collator = new Intl.Collator('en', { numeric: true })

/** `edge-2` before `edge-10`. */
export const compareNames = (a: string, b: string): number => collator.compare(a, b)

/** The time of day here, to the millisecond: events are often that close. */
export const formatClock = (at: number): string => {
  const date = new Date(at)
  if (Number.isNaN(date.getTime())) return '--:--:--'
  const ms = String(date.getMilliseconds()).padStart(3, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`
}

/** The end of an id: that is where ids of one kind differ. */
export const shortId = (id: string): string => (id.length > 10 ? `…${id.slice(-6)}` : id)

/** Names need not be unique; where they are not, the end of the id tells them apart. */
export const nameMembers = (members: Iterable<Member>): ReadonlyMap<string, string> => {
  const all = [...members]
  const count = new Map<string, number>()
  for (const { name } of all) count.set(name, (count.get(name) ?? 0) + 1)
  return new Map(
    all.map(({ id, name }) => {
      if (name === '') return [id, shortId(id)]
      return [id, (count.get(name) ?? 0) > 1 ? `${name} ${shortId(id)}` : name]
    }),
  )
}

export const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`

export const formatRun = (run: unknown): string => {
  const { handler, module, exec } = (run ?? {}) as Record<string, unknown>
  if (typeof handler === 'string') return `handler ${handler}`
  if (typeof module === 'string') return `module ${module}`
  if (Array.isArray(exec)) return `exec ${exec.map(String).join(' ')}`
  return 'unknown'
}

export const formatWhen = (when: unknown): string => {
  if (when === undefined || when === 'always') return 'always'
  if (typeof when === 'string') return when
  const { every, cron, zone } = (when ?? {}) as Record<string, unknown>
  if (every !== undefined) return `every ${String(every)}`
  if (cron !== undefined) return `cron ${String(cron)}${zone === undefined ? '' : ` (${String(zone)})`}`
  return 'unknown'
}

export const formatWanted = (task: Task): string =>
  task.replicas === 'all' ? 'all' : String(task.replicas ?? 1)

/** The number before the dash of `"1794960001-12D3Koo…"`. */
export const epochNumber = (epoch: string | null): string => epoch?.split('-')[0] ?? ''

export const formatGeneration = (generation: Member['generation'] | undefined): string =>
  typeof generation === 'object' ? String(generation.number) : String(generation ?? '')

export interface Sentence {
  /** A member or a task that the sentence is about; it becomes a link. */
  readonly subject: { readonly kind: 'member' | 'task'; readonly id: string } | null
  readonly text: string
  readonly tone: 'good' | 'bad' | 'warn' | 'quiet'
}

const CAUSES: Readonly<Record<string, string>> = {
  crashed: 'its process is gone',
  unreachable: 'silent',
  refuted: 'it answered',
  died: 'its node died',
  drained: 'its node is draining',
  left: 'its node left',
  joined: 'a member joined',
  rebalanced: 'to balance the load',
  'lower-epoch': 'another copy has a higher epoch',
  heal: 'a partition healed',
}

const because = (cause: unknown): string => {
  const text = textOf(cause)
  return text === '' ? '' : ` (${CAUSES[text] ?? text})`
}

/** What an event says after its subject. `nameOf` turns a node's id into its name. */
export const describeEvent = (event: MeshEvent, nameOf: (id: string) => string): Sentence => {
  const { kind } = event
  const member = { kind: 'member', id: textOf(event.member) } as const
  const task = { kind: 'task', id: textOf(event.task) } as const
  const on = textOf(event.node) === '' ? '' : ` on ${nameOf(textOf(event.node))}`
  switch (kind) {
    case 'member.alive': {
      const cause = event.cause === null ? '' : because(event.cause)
      return { subject: member, text: `is alive${cause}`, tone: 'good' }
    }
    case 'member.suspect':
      return { subject: member, text: `is suspected${because(event.cause)}`, tone: 'warn' }
    case 'member.dead':
      return { subject: member, text: `is dead${because(event.cause)}`, tone: 'bad' }
    case 'member.left':
      return { subject: member, text: 'left', tone: 'quiet' }
    case 'member.health':
      return { subject: member, text: healthText(event), tone: 'warn' }
    case 'member.forgotten':
      return { subject: member, text: 'is forgotten', tone: 'quiet' }
    case 'task.applied':
      return { subject: task, text: 'was applied', tone: 'quiet' }
    case 'task.removed':
      return { subject: task, text: 'was removed', tone: 'quiet' }
    case 'task.started':
      return { subject: task, text: `started${on}${because(event.cause)}`, tone: 'good' }
    case 'task.stopped':
      return { subject: task, text: `stopped${on}${because(event.cause)}`, tone: 'quiet' }
    case 'task.failed': {
      const error = textOf(event.error)
      return { subject: task, text: `failed${on}${error === '' ? '' : `: ${error}`}`, tone: 'bad' }
    }
    case 'task.moved': {
      const place = (id: unknown): string => (textOf(id) === '' ? 'nowhere' : nameOf(textOf(id)))
      const text = `moved from ${place(event.from)} to ${place(event.to)}${because(event.cause)}`
      return { subject: task, text, tone: 'warn' }
    }
    case 'state.changed': {
      const keys = Array.isArray(event.keys) ? event.keys.map(String) : []
      // Shoal's own keys are long and say nothing to an operator: what they mean has events of its own.
      const shown = textOf(event.space).startsWith('shoal.')
        ? `${keys.length} ${keys.length === 1 ? 'key' : 'keys'}`
        : keys.length > 3
          ? `${keys.slice(0, 3).join(', ')} and ${keys.length - 3} more`
          : keys.join(', ')
      return { subject: null, text: `space ${textOf(event.space)} changed: ${shown}`, tone: 'quiet' }
    }
    case 'node.isolated':
      return { subject: null, text: 'This node is isolated: no neighbor answers', tone: 'bad' }
    case 'node.rejoined':
      return { subject: null, text: 'This node is back in the mesh', tone: 'good' }
    default:
      return {
        subject: null,
        text: `${kind}${textOf(event.message) === '' ? '' : `: ${textOf(event.message)}`}`,
        tone: 'warn',
      }
  }
}

const healthText = (event: MeshEvent): string => {
  const health = textOf(event.health)
  const reasons = Array.isArray(event.reasons) ? event.reasons.map(String).join(', ') : ''
  const now = health === '' ? 'says something new of its health' : `is ${health}`
  return reasons === '' ? now : `${now}: ${reasons}`
}
