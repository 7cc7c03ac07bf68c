// `shoal tasks` and what looks at or touches tasks by their id.

import { ShoalError } from '../../core/errors.js'
import type { JsonObject } from '../../core/json.js'
import type { Explanation } from '../../core/tasks/explain.js'
import type { TaskSpec } from '../../core/tasks/spec.js'
import type { CopyView } from '../../core/tasks/views.js'
import type { Client } from '../client.js'
import { UsageError } from '../errors.js'
import { nearest } from '../nearest.js'
import {
  age,
  type Cell,
  cell,
  clockTime,
  line,
  list,
  paint,
  phaseColour,
  plain,
  printJson,
  table,
} from '../output.js'
import { fetchView, nameMembers, printAge } from '../view.js'

interface Flags {
  readonly json?: true
}

type Shown = TaskSpec & {
  readonly revision: number
  readonly copies: readonly CopyView[]
  readonly result?: {
    readonly ok: boolean
    readonly error: string | null
    readonly value: unknown
    readonly at: number
    readonly node: string
  }
  readonly problem?: string
}

const pathOf = (id: string): string => {
  if (id === '') throw new UsageError('ID is empty; it must be the id of a task')
  return `/v1/tasks/${encodeURIComponent(id)}`
}

/** Says which task was probably meant where there is none of this id. */
const known = <T>(client: Client, id: string, asked: Promise<T>): Promise<T> =>
  asked.catch(async (error: unknown) => {
    if (!(error instanceof ShoalError) || !['NOT_FOUND', 'TASK_UNKNOWN'].includes(error.code)) throw error
    const { body: tasks } = await client.get<{ id: string }[]>('/v1/tasks')
    const close = nearest(
      id,
      tasks.map(task => task.id),
    )
    const hint = close === null ? '"shoal tasks" shows them' : `did you mean ${close}?`
    throw new ShoalError(error.code, `there is no task ${JSON.stringify(id)}; ${hint}`)
  })

export const listTasks = async (client: Client, flags: Flags): Promise<void> => {
  const [{ body: tasks }, view] = await Promise.all([client.get<Shown[]>('/v1/tasks'), fetchView(client)])
  if (flags.json) {
    printJson(tasks)
    return
  }
  const name = nameMembers(view.members)
  if (tasks.length === 0) line('no tasks are declared; "shoal tasks apply FILE" declares some')
  else {
    const now = Date.now()
    const rows = tasks.flatMap(task => rowsOf(task, now, name))
    const columns = [
      { title: 'TASK', least: 14 },
      { title: 'WHEN', least: 8 },
      { title: 'PHASE' },
      { title: 'NODE', least: 12 },
      { title: 'FOR', right: true },
      { title: 'REMARK', least: 12 },
    ]
    for (const each of table(columns, rows)) line(each)
  }
  printAge(view.self, view.viewAgeMs)
}

const whenOf = (task: Shown): string => {
  const { when } = task
  if (when === undefined) return '?'
  if (typeof when === 'string') return when
  return 'every' in when ? `every ${when.every}` : when.cron
}

const rowsOf = (task: Shown, now: number, name: (id: string | null) => string): (string | Cell)[][] => {
  if (task.problem !== undefined) return [[task.id, '?', cell('unreadable', 'red'), '-', '-', task.problem]]
  const when = whenOf(task)
  if (task.copies.length === 0) {
    return [[task.id, when, '-', '-', '-', task.replicas === 0 ? 'paused: replicas is 0' : 'no copies']]
  }
  return task.copies.map((copy, i) => [
    i === 0 ? task.id : '',
    i === 0 ? when : '',
    cell(copy.phase, phaseColour(copy.phase)),
    name(copy.node),
    age(now - copy.since),
    [
      copy.reason,
      copy.restarts > 0 ? `restarted ${copy.restarts}×` : null,
      copy.lastError,
      task.result === undefined
        ? null
        : task.result.ok
          ? `result ${JSON.stringify(task.result.value)}`
          : null,
    ]
      .filter(each => each !== null)
      .join('; '),
  ])
}

export const showTask = async (client: Client, id: string, flags: Flags): Promise<void> => {
  const [{ body: task }, view] = await Promise.all([
    known(client, id, client.get<Shown>(pathOf(id))),
    fetchView(client),
  ])
  if (flags.json) {
    printJson(task)
    return
  }
  const name = nameMembers(view.members)
  const { copies, result, ...spec } = task
  const fields = Object.entries(spec as unknown as JsonObject).map(
    ([key, value]): [string, string | Cell] => [
      key,
      typeof value === 'string' ? value : JSON.stringify(value),
    ],
  )
  if (result !== undefined) {
    const { ok, error, value, at, node } = result
    const text = ok ? JSON.stringify(value) : `failed: ${error}`
    fields.push(['result', cell(`${text}, on ${name(node)} at ${clockTime(at)}`, ok ? null : 'red')])
  }
  for (const each of list(fields)) line(each)
  line()
  const now = Date.now()
  const rows = copies.map(copy => [
    String(copy.slot),
    cell(copy.phase, phaseColour(copy.phase)),
    name(copy.node),
    copy.epoch?.split('-')[0] ?? '-',
    age(now - copy.since),
    String(copy.restarts),
    [copy.reason, copy.lastError].filter(each => each !== null).join('; '),
  ])
  const columns = [
    { title: 'SLOT', right: true },
    { title: 'PHASE' },
    { title: 'NODE', least: 12 },
    { title: 'EPOCH' },
    { title: 'FOR', right: true },
    { title: 'RESTARTS', right: true },
    { title: 'REMARK', least: 12 },
  ]
  for (const each of table(columns, rows)) line(each)
  printAge(view.self, view.viewAgeMs)
}

export const why = async (client: Client, id: string, flags: Flags): Promise<void> => {
  const [{ body }, view] = await Promise.all([
    known(client, id, client.get<Explanation>(`${pathOf(id)}/why`)),
    fetchView(client),
  ])
  if (flags.json) {
    printJson(body)
    return
  }
  const name = nameMembers(view.members)
  const rows = body.candidates.map(({ node, eligible, chosen, rank, reasons }) => [
    name(node),
    chosen ? cell('chosen', 'green') : eligible ? cell('eligible') : cell('no', 'yellow'),
    rank === null ? '-' : String(rank),
    // The reasons name members by id; people know them by name.
    reasons.map(each => each.replace(/12D3KooW\w{44}/g, found => name(found))).join('; '),
  ])
  const columns = [
    { title: 'NODE', least: 12 },
    { title: 'MAY RUN IT' },
    { title: 'RANK', right: true },
    { title: 'WHY', least: 20 },
  ]
  for (const each of table(columns, rows)) line(each)
  for (const copy of body.copies) {
    if (copy.node === null) line(`slot ${copy.slot} waits: ${plain(copy.reason ?? 'nobody can run it')}`)
  }
  const lacks = body.candidates.map(({ reasons }) =>
    reasons.map(each => ABILITY.exec(each)?.[1]).find(Boolean),
  )
  const [ability] = lacks
  if (ability !== undefined && lacks.every(each => each === ability)) line(HINTS[ability] ?? '')
  printAge(view.self, view.viewAgeMs)
}

/** What no member can is most likely not allowed yet. */
const ABILITY = /^cannot run (exec|module|handler)\b/

const HINTS: Readonly<Record<string, string>> = {
  exec: 'a node with a mesh key runs programs when it is started with --allow exec',
  module: 'a node runs modules when it is started with --modules DIR, and with a mesh key --allow module',
  handler: 'a handler is a function that a program gives its own node: node.handle(name, function)',
}

interface LogLine {
  readonly at: number
  readonly node: string
  readonly epoch: string
  readonly stream: string
  readonly line: string
}

export const logs = async (client: Client, id: string, lines: number, flags: Flags): Promise<void> => {
  const [{ body }, view] = await Promise.all([
    known(client, id, client.get<LogLine[]>(`${pathOf(id)}/logs?lines=${lines}`)),
    fetchView(client),
  ])
  if (flags.json) {
    printJson(body)
    return
  }
  const name = nameMembers(view.members)
  for (const each of body) {
    const head = paint(`${clockTime(each.at)} ${name(each.node)}`, 'grey')
    line(`${head} ${paint(plain(each.line), each.stream === 'err' ? 'yellow' : null)}`)
  }
  if (body.length === 0) line(`${plain(id)} has written nothing yet`)
  printAge(view.self, view.viewAgeMs)
}

export const restart = async (client: Client, id: string, flags: Flags): Promise<void> => {
  await known(client, id, client.send('POST', `${pathOf(id)}/restart`))
  if (flags.json) printJson({ restarted: id })
  else line(`${plain(id)} is stopped and started again`)
}

export const remove = async (client: Client, ids: readonly string[], flags: Flags): Promise<void> => {
  // Looked up first: a mistyped id among several removes none of them.
  for (const id of ids) await known(client, id, client.get(pathOf(id)))
  for (const id of ids) await client.send('DELETE', pathOf(id))
  if (flags.json) printJson({ removed: ids })
  else line(`removed ${ids.map(plain).join(', ')}`)
}
