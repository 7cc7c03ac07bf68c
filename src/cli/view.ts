// What a command knows of the mesh: the members as the node sees them, how old that
// view is, and which one a NAME means (contract, section 1).

import { ShoalError } from '../core/errors.js'
import type { MemberInfo, NodeInfo } from '../runtime/member-info.js'
import type { Client } from './client.js'
import { age, line, paint, plain } from './output.js'

const PREFIX_MIN = 8
/** PeerIds of this kind all begin with `12D3KooW`; these many characters tell a few thousand nodes apart. */
export const SHORT_ID = 14

export interface View {
  readonly self: NodeInfo
  readonly members: readonly MemberInfo[]
  readonly viewAgeMs: number | null
}

export const fetchView = async (client: Client): Promise<View> => {
  const [self, members] = await Promise.all([
    client.get<NodeInfo>('/v1/self'),
    client.get<MemberInfo[]>('/v1/members'),
  ])
  return { self: self.body, members: members.body, viewAgeMs: members.viewAgeMs }
}

/** The id that a NAME means: an id, a name, or a unique prefix of an id. */
export const resolveName = (name: string, members: readonly MemberInfo[]): string => {
  if (members.some(member => member.id === name)) return name
  const found = members.filter(
    member => member.name === name || (name.length >= PREFIX_MIN && member.id.startsWith(name)),
  )
  if (found.length === 1) return (found[0] as MemberInfo).id
  if (found.length === 0) {
    const isShort = name.length < PREFIX_MIN && members.some(member => member.id.startsWith(name))
    const hint = isShort
      ? `of an id ${PREFIX_MIN} characters or more are accepted`
      : '"shoal members" shows who is there, by name and id'
    throw new ShoalError('NOT_FOUND', `no member is called ${name}; ${hint}`)
  }
  const ids = found.map(member => member.id).sort()
  throw new ShoalError(
    'AMBIGUOUS',
    `${name} means ${ids.length} members; say which by its id: ${ids.join(' ')}`,
  )
}

/** How to write ids for people: the name, with the end of the id where the name is not unique. */
export const nameMembers = (members: readonly MemberInfo[]): ((id: string | null) => string) => {
  const counts = new Map<string, number>()
  for (const { name } of members) counts.set(name, (counts.get(name) ?? 0) + 1)
  const names = new Map(
    members.map(({ id, name }) => [id as string, counts.get(name) === 1 ? name : `${name} …${id.slice(-5)}`]),
  )
  return id => (id === null ? '-' : (names.get(id) ?? id.slice(0, SHORT_ID)))
}

/** Says whose view it was and how old. */
export const printAge = (self: Pick<NodeInfo, 'name'>, viewAgeMs: number | null): void => {
  const name = plain(self.name)
  line(
    paint(
      viewAgeMs === null
        ? `as node ${name} sees it; it has not heard from another node yet`
        : `as node ${name} saw it ${age(viewAgeMs)} ago`,
      'grey',
    ),
  )
}
