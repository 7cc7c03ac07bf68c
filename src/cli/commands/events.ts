// `shoal events`: what happened, as this node saw it; newest last.

import type { JournalEvent } from '../../runtime/journal.js'
import type { MemberInfo } from '../../runtime/member-info.js'
import type { Client } from '../client.js'
import { follow } from '../follow.js'
import { type Colour, clockTime, line, paint, plain, printJsonLine } from '../output.js'
import { fetchView, nameMembers, printAge } from '../view.js'

export const events = async (
  client: Client,
  flags: { readonly json?: true; readonly follow?: true; readonly since?: number | undefined },
): Promise<void> => {
  const since = flags.since ?? 0
  if (!flags.follow) {
    const [{ body }, view] = await Promise.all([
      client.get<JournalEvent[]>(`/v1/events?since=${since}`),
      fetchView(client),
    ])
    const name = nameMembers(view.members)
    for (const event of body) {
      if (flags.json) printJsonLine(event)
      else if (!isInner(event)) line(describe(event, name))
    }
    if (flags.json) return
    if (body.length === 0)
      line(since === 0 ? 'nothing has happened yet' : `nothing has happened after ${since}`)
    printAge(view.self, view.viewAgeMs)
    return
  }
  let name = nameMembers([])
  const refresh = async (): Promise<void> => {
    const { body } = await client.get<MemberInfo[]>('/v1/members')
    name = nameMembers(body)
  }
  await follow(client, {
    since,
    onOpen: flags.json ? async () => {} : refresh,
    async onEvent(event) {
      if (flags.json) {
        printJsonLine(event)
        return
      }
      if (isInner(event)) return
      if (event.kind === 'member.alive') await refresh()
      line(describe(event, name))
    },
  })
}

/** Changes of Shoal's own spaces come with every step of a task; people read the task's events instead. */
export const isInner = (event: JournalEvent): boolean =>
  event.kind === 'state.changed' && event.space.startsWith('shoal.')

/** One line for people. */
export const describe = (event: JournalEvent, name: (id: string | null) => string): string => {
  const at = paint(`${clockTime(event.at)} ${String(event.seq).padStart(5)}`, 'grey')
  return `${at}  ${paint(event.kind.padEnd(16), colourOf(event.kind))}  ${plain(detail(event, name))}`
}

const detail = (event: JournalEvent, name: (id: string | null) => string): string => {
  switch (event.kind) {
    case 'state.changed':
      return `${event.space}: ${event.keys.slice(0, 8).join(' ')}${event.keys.length > 8 ? ' …' : ''}`
    case 'node.isolated':
    case 'node.rejoined':
    case 'node.cloned':
      return event.message ?? ''
    case 'task.moved':
      return `${event.task} from ${name(event.from ?? null)} to ${name(event.to ?? null)} (${event.cause})`
    case 'task.applied':
    case 'task.removed':
    case 'task.started':
    case 'task.stopped':
    case 'task.failed':
      return [
        event.task,
        event.node === null ? '' : ` on ${name(event.node)}`,
        event.kind === 'task.applied' || event.kind === 'task.removed' ? '' : ` (${event.cause})`,
        event.error === undefined ? '' : `: ${event.error}`,
      ].join('')
    case 'member.health':
      return `${event.name} is ${[event.health, ...(event.reasons ?? [])].join('; ')}`
    default:
      return `${event.name}${event.cause === null || event.cause === undefined ? '' : ` (${event.cause})`}`
  }
}

const colourOf = (kind: string): Colour | null => {
  if (/dead|failed|isolated|cloned/.test(kind)) return 'red'
  if (/suspect|moved|health/.test(kind)) return 'yellow'
  if (/alive|started|rejoined/.test(kind)) return 'green'
  return null
}
