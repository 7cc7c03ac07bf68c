// `shoal plan --without NAME…`: what would move if these members were lost.

import type { Move } from '../../core/tasks/explain.js'
import type { Client } from '../client.js'
import { cell, line, printJson, table } from '../output.js'
import { fetchView, nameMembers, printAge, resolveName } from '../view.js'

export const plan = async (
  client: Client,
  flags: { readonly json?: true; readonly without: readonly string[] },
): Promise<void> => {
  const view = await fetchView(client)
  const without = flags.without.map(name => resolveName(name, view.members))
  const { moves } = await client.send<{ moves: readonly Move[] }>('POST', '/v1/plan', { without })
  if (flags.json) {
    printJson({ moves })
    return
  }
  const name = nameMembers(view.members)
  if (moves.length === 0) line(`nothing would move without ${without.map(name).join(', ')}`)
  else {
    const rows = moves.map(({ task, from, to }) => [
      task as string,
      name(from),
      to === null ? cell('fits nowhere', 'red') : cell(name(to)),
    ])
    const columns = [
      { title: 'TASK', least: 16 },
      { title: 'FROM', least: 12 },
      { title: 'TO', least: 12 },
    ]
    for (const each of table(columns, rows)) line(each)
    const stuck = moves.filter(({ to }) => to === null).length
    line(`${moves.length} would move${stuck > 0 ? `, ${stuck} of them fit nowhere` : ''}`)
  }
  printAge(view.self, view.viewAgeMs)
}
