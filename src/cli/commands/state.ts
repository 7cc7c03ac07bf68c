// `shoal state`: reads and writes shared state.

import { readFileSync } from 'node:fs'
import { ShoalError } from '../../core/errors.js'
import { defaultStateConfig } from '../../core/state/config.js'
import { jsonBytes } from '../../core/state/json-size.js'
import type { NodeInfo } from '../../runtime/member-info.js'
import type { Client } from '../client.js'
import { UsageError } from '../errors.js'
import { follow } from '../follow.js'
import {
  clockTime,
  cut,
  line,
  paint,
  plain,
  printJson,
  printJsonLine,
  table,
  terminalWidth,
} from '../output.js'
import { printAge } from '../view.js'

interface Flags {
  readonly json?: true
}

const spacePath = (space: string): string => {
  if (space === '') throw new UsageError('SPACE is empty; it must be the name of a space')
  return `/v1/state/${encodeURIComponent(space)}`
}
const keyPath = (space: string, key: string): string => {
  if (key === '') throw new UsageError('KEY is empty; it must be a text of at least one character')
  return `${spacePath(space)}/${encodeURIComponent(key)}`
}

export const list = async (client: Client, space: string | undefined, flags: Flags): Promise<void> => {
  if (space === undefined) {
    const [{ body, viewAgeMs }, self] = await Promise.all([
      client.get<{ space: string; keys: number; bytes: number }[]>('/v1/state'),
      client.get<NodeInfo>('/v1/self'),
    ])
    if (flags.json) {
      printJson(body)
      return
    }
    const rows = body.map(({ space, keys, bytes }) => [space, String(keys), String(bytes)])
    const columns = [
      { title: 'SPACE', least: 20 },
      { title: 'KEYS', right: true },
      { title: 'BYTES', right: true },
    ]
    if (rows.length === 0) line('there is no state yet; "shoal state set SPACE KEY JSON" writes some')
    else for (const each of table(columns, rows)) line(each)
    printAge(self.body, viewAgeMs)
    return
  }
  const [{ body, viewAgeMs }, self] = await Promise.all([
    client.get<Record<string, unknown>>(spacePath(space)),
    client.get<NodeInfo>('/v1/self'),
  ])
  if (flags.json) {
    printJson(body)
    return
  }
  const rows = Object.keys(body)
    .sort()
    .map(key => [key, JSON.stringify(body[key])])
  const columns = [
    { title: 'KEY', least: 20 },
    { title: 'VALUE', least: 20 },
  ]
  if (rows.length === 0) line(`${plain(space)} is empty`)
  else for (const each of table(columns, rows)) line(each)
  printAge(self.body, viewAgeMs)
}

/** Prints the value and nothing else: its readers are programs more often than people. */
export const get = async (client: Client, space: string, key: string, _flags: Flags): Promise<void> => {
  const { body } = await client.get<unknown>(keyPath(space, key)).catch((error: unknown) => {
    if (!(error instanceof ShoalError) || error.code !== 'NOT_FOUND') throw error
    throw new ShoalError(error.code, `${error.message}; "shoal state list ${space}" shows what there is`)
  })
  printJson(body)
}

export const set = async (
  client: Client,
  space: string,
  key: string,
  json: string | undefined,
  flags: Flags,
): Promise<void> => {
  if (json === undefined && process.stdin.isTTY) {
    throw new UsageError(`what to write to ${key} is missing; give it as JSON after the key, or on stdin`)
  }
  const text = json ?? readFileSync(0, 'utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    const shown = JSON.stringify(text.trim())
    throw new UsageError(
      `the value is ${cut(shown, 60)}, which is no JSON; a text needs quotes of its own, such as '${cut(shown, 60)}'`,
    )
  }
  const { valueDepthMax } = defaultStateConfig
  // `1e999` is JSON, and infinite once it is read; written again it would be null.
  if (jsonBytes(value, valueDepthMax) < 0)
    throw new UsageError(
      `the value is ${cut(text.trim(), 60)}; a number in it is larger than any that can be stored, or it is nested deeper than ${valueDepthMax} levels`,
    )
  await client.send('PUT', keyPath(space, key), value)
  if (flags.json) printJson({ space, key, value })
  else line(`${plain(space)} ${plain(key)} is written and durable here`)
}

export const remove = async (client: Client, space: string, key: string, flags: Flags): Promise<void> => {
  await client.send('DELETE', keyPath(space, key))
  if (flags.json) printJson({ space, removed: key })
  else line(`${plain(space)} ${plain(key)} is deleted`)
}

export const watch = async (client: Client, space: string, flags: Flags): Promise<void> => {
  const show = (at: number, key: string, value: unknown): void => {
    const isGone = value === undefined
    if (flags.json) printJsonLine(isGone ? { at, key, deleted: true } : { at, key, value })
    else {
      const shown = isGone ? paint('deleted', 'yellow') : plain(JSON.stringify(value))
      line(
        `${paint(clockTime(at), 'grey')}  ${plain(key)}  ${isGone ? shown : cut(shown, Math.max(20, terminalWidth() - key.length - 17))}`,
      )
    }
  }
  // A space that is not held here, or a wrong name, is refused before the waiting begins.
  await client.get(spacePath(space))
  await follow(client, {
    since: null,
    async onEvent(event) {
      if (event.kind !== 'state.changed' || event.space !== space) return
      for (const key of event.keys) {
        const value = await client.get<unknown>(keyPath(space, key)).then(
          ({ body }) => body,
          error => {
            if (error instanceof ShoalError && error.code !== 'NO_NODE') return undefined
            throw error
          },
        )
        show(event.at, key, value)
      }
    },
  })
}
