// `shoal join`, `leave`, `drain` and `forget`: what changes who is here.

import { ShoalError } from '../../core/errors.js'
import type { MemberInfo, NodeInfo } from '../../runtime/member-info.js'
import { optionChecks } from '../../runtime/options.js'
import type { Client } from '../client.js'
import { UsageError } from '../errors.js'
import { line, plain, printJson } from '../output.js'
import { resolveName } from '../view.js'

interface Flags {
  readonly json?: true
}

const say = (flags: Flags, value: object, text: string): void => {
  if (flags.json) printJson(value)
  else line(text)
}

export const join = async (client: Client, addrs: readonly string[], flags: Flags): Promise<void> => {
  try {
    optionChecks.join('ADDR', addrs)
  } catch (error) {
    throw error instanceof ShoalError ? new UsageError(error.message) : error
  }
  await client.send('POST', '/v1/join', { addrs })
  say(
    flags,
    { joining: addrs },
    `it goes on trying ${addrs.join(', ')} until somebody answers; see "shoal members"`,
  )
}

export const leave = async (client: Client, flags: Flags): Promise<void> => {
  const { body } = await client.get<NodeInfo>('/v1/self')
  await client.send('POST', '/v1/leave')
  say(flags, { left: body.id }, `${plain(body.name)} gives its tasks away, says goodbye and stops`)
}

export const drain = async (client: Client, flags: Flags & { readonly off?: true }): Promise<void> => {
  const { body } = await client.get<NodeInfo>('/v1/self')
  const on = flags.off !== true
  await client.send('POST', '/v1/drain', { on })
  const name = plain(body.name)
  say(
    flags,
    { node: body.id, draining: on },
    on
      ? `${name} gives its tasks away and takes none; "shoal drain --off" ends that`
      : `${name} takes tasks again`,
  )
}

export const forget = async (client: Client, name: string, flags: Flags): Promise<void> => {
  const { body } = await client.get<MemberInfo[]>('/v1/members')
  const id = resolveName(name, body)
  await client.send('DELETE', `/v1/members/${encodeURIComponent(id)}`)
  say(flags, { forgotten: id }, `${plain(name)} is struck from the list of members`)
}
