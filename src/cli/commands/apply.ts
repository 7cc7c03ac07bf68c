// `shoal tasks apply FILE…`: declares or changes tasks, all or nothing. Every task is
// checked here by the rules of the node before the first is sent; if the node then
// refuses one all the same, those that were sent are put back as they were.

import { readFileSync } from 'node:fs'
import { ShoalError } from '../../core/errors.js'
import type { Client } from '../client.js'
import { UsageError } from '../errors.js'
import { line, plain, printJson } from '../output.js'

/** Far above what a node accepts, and no hazard to this process. */
const BYTES_MAX = 64 * 1024 * 1024

export const apply = async (
  client: Client,
  files: readonly string[],
  flags: { readonly json?: true },
): Promise<void> => {
  const [{ parseSpec }, { createTimeZones }] = await Promise.all([
    import('../../core/tasks/spec-rules.js'),
    import('../../runtime/time-zone.js'),
  ])
  const zones = createTimeZones()
  const specs = new Map<string, unknown>()
  for (const file of files) {
    for (const [i, given] of readSpecs(file).entries()) {
      const spec = specOf(given)
      const place = `${file === '-' ? 'stdin' : file}, task ${i + 1}`
      let id: string
      try {
        id = parseSpec(spec, zones.knowsZone).id
      } catch (error) {
        if (error instanceof ShoalError)
          throw new ShoalError(error.code, `${place}: ${error.message}; nothing was applied`)
        throw error
      }
      if (specs.has(id))
        throw new ShoalError('TASK_TWICE', `${place}: ${id} is there twice; nothing was applied`)
      specs.set(id, spec)
    }
  }
  const stored = await putAll(client, specs)
  if (flags.json) {
    printJson(stored)
    return
  }
  for (const task of stored) {
    const { id, revision } = task as { id: string; revision: number }
    line(`${plain(id)} is applied (revision ${revision})`)
  }
  if (stored.length === 0) line('there was no task in it')
}

const readSpecs = (file: string): readonly unknown[] => {
  let text: string
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (error) {
    throw new UsageError(
      `${file} cannot be read (${(error as NodeJS.ErrnoException).code}); name a JSON file, or - for stdin`,
    )
  }
  const name = file === '-' ? 'stdin' : file
  if (text.length > BYTES_MAX)
    throw new UsageError(`${name} has ${text.length} characters; ${BYTES_MAX} are accepted`)
  try {
    const value = JSON.parse(text) as unknown
    return Array.isArray(value) ? value : [value]
  } catch (error) {
    throw new ShoalError(
      'JSON_INVALID',
      `${name} is no JSON: ${(error as Error).message}; nothing was applied`,
    )
  }
}

/** The node may have taken it, and does so yet. */
const UNKNOWN_FATE = ['TIMEOUT', 'NOT_DURABLE_YET']

/** What of a stored task is not its spec. */
const SHOWN_ONLY = ['revision', 'copies', 'result', 'problem']

/** A task as `tasks show --json` gives it, and as it can be changed and applied again. */
const specOf = (shown: unknown): unknown =>
  typeof shown !== 'object' || shown === null || Array.isArray(shown)
    ? shown
    : Object.fromEntries(Object.entries(shown).filter(([key]) => !SHOWN_ONLY.includes(key)))

const putAll = async (client: Client, specs: ReadonlyMap<string, unknown>): Promise<unknown[]> => {
  const { body } = await client.get<{ id: string }[]>('/v1/tasks')
  const before = new Map(body.map(task => [task.id, task]))
  const stored: unknown[] = []
  const done: string[] = []
  for (const [id, spec] of specs) {
    const path = `/v1/tasks/${encodeURIComponent(id)}`
    try {
      stored.push(await client.send('PUT', path, spec))
      done.push(id)
    } catch (error) {
      if (!(error instanceof ShoalError)) throw error
      if (UNKNOWN_FATE.includes(error.code)) {
        const sure =
          done.length === 0 ? '' : `, and ${done.join(', ')} ${done.length === 1 ? 'is' : 'are'} applied`
        throw new ShoalError(
          error.code,
          `${id}: ${error.message}; whether ${id} was applied is not known${sure}`,
        )
      }
      const undone = await putBack(client, done, before)
      const rest = undone ? 'nothing was applied' : `could not take back ${done.join(', ')}`
      throw new ShoalError(error.code, `${id}: ${error.message}; ${rest}`)
    }
  }
  return stored
}

const putBack = async (
  client: Client,
  done: readonly string[],
  before: ReadonlyMap<string, object>,
): Promise<boolean> => {
  try {
    for (const id of done) {
      const old = before.get(id)
      const path = `/v1/tasks/${encodeURIComponent(id)}`
      if (old === undefined) await client.send('DELETE', path)
      else {
        await client.send('PUT', path, specOf(old))
      }
    }
    return true
  } catch {
    // The sentence to the user says so.
    return false
  }
}
