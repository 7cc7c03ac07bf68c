// `shoal members`: who is here, once or at every change.

import type { MemberInfo } from '../../runtime/member-info.js'
import type { Client } from '../client.js'
import { follow } from '../follow.js'
import {
  age,
  type Cell,
  cell,
  healthColour,
  line,
  printJson,
  printJsonLine,
  table,
  verdictColour,
} from '../output.js'
import { fetchView, printAge, SHORT_ID, type View } from '../view.js'

export const members = async (
  client: Client,
  flags: { readonly json?: true; readonly watch?: true },
): Promise<void> => {
  if (!flags.watch) {
    const view = await fetchView(client)
    if (flags.json) printJson(view.members)
    else print(view)
    return
  }
  let shown = new Map<string, string>()
  const show = async (): Promise<void> => {
    const view = await fetchView(client)
    if (!flags.json) {
      // Home and clear below: redrawing in place does not flicker. A pipe gets one table after another.
      if (process.stdout.isTTY) process.stdout.write('\u001b[H\u001b[2J')
      print(view)
      return
    }
    const next = new Map<string, string>()
    for (const member of view.members) {
      const { rttMs: _, ...lasting } = member
      const text = JSON.stringify(lasting)
      next.set(member.id, text)
      if (shown.get(member.id) !== text) printJsonLine(member)
    }
    shown = next
  }
  await follow(client, {
    since: null,
    onOpen: show,
    onEvent: event => (event.kind.startsWith('member.') ? show() : Promise.resolve()),
  })
}

const print = ({ self, members, viewAgeMs }: View): void => {
  const order = ['alive', 'suspect', 'dead', 'left']
  const sorted = [...members].sort(
    (a, b) =>
      order.indexOf(a.verdict) - order.indexOf(b.verdict) ||
      (a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : 1),
  )
  const now = Date.now()
  const rows = sorted.map((member): (string | Cell)[] => [
    cell(member.name, member.id === self.id ? 'bold' : null),
    member.id.slice(0, SHORT_ID),
    cell(member.verdict, verdictColour(member.verdict)),
    age(now - member.since),
    cell(member.verdict === 'alive' ? member.health : '-', healthColour(member.health)),
    member.rttMs === null
      ? '-'
      : `${member.rttMs < 10 ? member.rttMs.toFixed(1) : Math.round(member.rttMs)} ms`,
    remark(member, self.id),
  ])
  const columns = [
    { title: 'NAME', least: 12 },
    { title: 'ID', least: SHORT_ID },
    { title: 'VERDICT' },
    { title: 'FOR', right: true },
    { title: 'HEALTH' },
    { title: 'RTT', right: true },
    { title: 'REMARK', least: 6 },
  ]
  for (const each of table(columns, rows)) line(each)
  const alive = members.filter(member => member.verdict === 'alive').length
  line(`${members.length} ${members.length === 1 ? 'member' : 'members'}, ${alive} alive`)
  printAge(self, viewAgeMs)
}

const remark = (member: MemberInfo, self: string): string => {
  const parts: string[] = []
  if (member.id === self) parts.push('this node')
  if (member.verdict !== 'alive' && member.cause !== null) parts.push(member.cause)
  if (member.verdict === 'alive') {
    if (member.draining) parts.push('draining')
    else if (!member.settled) parts.push('not settled')
    parts.push(...member.reasons)
  }
  return parts.join(', ')
}
