// The demo on a terminal of 80 by 24: who is here, what runs where, what was measured,
// what happened last, and which keys there are. Drawn on the terminal's second screen,
// at most a few times a second and only where something changed; the first is untouched.

import { describe } from '../cli/commands/events.js'
import { type Colour, cut, healthColour, paint, phaseColour, plain, verdictColour } from '../cli/output.js'
import { nameMembers } from '../cli/view.js'
import { tellFault } from './actions.js'
import type { DemoNode, Fleet } from './fleet.js'
import type { Watch } from './watch.js'

const DRAW_MS = 150
const ENTER = '\u001b[?1049h\u001b[?25l'
const LEAVE = '\u001b[?25h\u001b[?1049l'

export interface Screen {
  /** Says something in the line above the keys. */
  say(text: string): void
  close(): void
}

export interface ScreenOptions {
  readonly fleet: Fleet
  readonly watch: Watch
  readonly url: string
  readonly selected: () => DemoNode
}

export const openScreen = (options: ScreenOptions): Screen => {
  const { stdout } = process
  let said = 'choose a node with 1 to 9 or the arrows, and kill it: its tasks move'
  let drawn: readonly string[] = []
  let timer: NodeJS.Timeout | null = null
  const draw = (): void => {
    timer = null
    const { columns = 80, rows = 24 } = stdout
    const next = frame(options, said, columns, rows)
    let text = ''
    next.forEach((content, i) => {
      if (drawn[i] !== content) text += `\u001b[${i + 1};1H${content}\u001b[K`
    })
    drawn = next
    if (text !== '') stdout.write(text)
  }
  const later = (): void => {
    timer ??= setTimeout(draw, DRAW_MS)
  }
  stdout.write(`${ENTER}\u001b[2J`)
  draw()
  options.watch.onChange(later)
  const onResize = (): void => {
    drawn = []
    stdout.write('\u001b[2J')
    draw()
  }
  stdout.on('resize', onResize)
  return {
    say(text) {
      said = text
      later()
    },
    close() {
      if (timer !== null) clearTimeout(timer)
      stdout.off('resize', onResize)
      stdout.write(LEAVE)
    },
  }
}

/** The lines of the screen, as many as it has rows. */
export const frame = (
  { fleet, watch, url, selected }: ScreenOptions,
  said: string,
  columns: number,
  rows: number,
): string[] => {
  const width = Math.max(60, columns)
  const lines: string[] = []
  lines.push(
    paint(
      cut(`Shoal demo: ${fleet.nodes.length} nodes, ${watch.tasks.length} tasks, on this machine`, width),
      'bold',
    ),
  )
  // The token is too long for one line of eighty columns; terminals open an address that is whole.
  lines.push(url)
  for (let i = url.length; i > columns; i -= columns) lines.push('')
  lines.push('')
  const chosen = selected()
  for (const node of fleet.nodes) lines.push(memberLine(node, watch, node === chosen, width))
  lines.push('')
  lines.push(...taskLines(fleet, watch, width))
  lines.push('')
  const faults = watch.faults.slice(-3).map(fault => cut(tellFault(fault), width))
  lines.push(...(faults.length === 0 ? [paint('nothing was done to it yet', 'grey')] : faults))
  lines.push('')
  const foot = [
    cut(plain(said), width),
    paint(cut('1-9 ↑↓ choose   k kill   f freeze   c cut off   r revive   q end', width), 'cyan'),
  ]
  const room = Math.max(0, rows - lines.length - foot.length)
  const name = nameMembers(watch.members)
  const events = room === 0 ? [] : watch.events.slice(-room).map(event => trim(describe(event, name), width))
  lines.push(...events)
  while (lines.length < rows - foot.length) lines.push('')
  return [...lines.slice(0, Math.max(0, rows - foot.length)), ...foot].slice(0, rows)
}

const memberLine = (node: DemoNode, watch: Watch, isChosen: boolean, width: number): string => {
  const member = watch.members.find(({ id }) => id === node.id)
  const verdict = member?.verdict ?? 'unknown'
  const tasks = watch.runningOn(node)
  const fate = node.fate === 'up' ? '' : node.fate
  const head = `${isChosen ? '▶' : ' '} ${node.index + 1} ${node.name.padEnd(6)}`
  const list =
    fate !== '' ? '' : `${String(tasks.length).padStart(2)} ${tasks.length === 1 ? 'task ' : 'tasks'}`
  const health =
    member === undefined || member.verdict !== 'alive' ? '' : member.settled ? member.health : 'settling'
  const parts: readonly (readonly [string, Colour | null])[] = [
    [head, isChosen ? 'bold' : null],
    [verdict.padEnd(8), verdictColour(verdict)],
    [health.padEnd(9), healthColour(health === 'settling' || health === '' ? 'ok' : health)],
    [fate.padEnd(7), 'red'],
    [list, null],
    ['█'.repeat(Math.min(tasks.length, Math.max(0, width - 50))), 'cyan'],
  ]
  return parts.map(([text, colour]) => paint(text, colour)).join(' ')
}

/** Two columns: twelve tasks take six lines. */
const taskLines = (fleet: Fleet, watch: Watch, width: number): string[] => {
  const half = Math.floor(width / 2)
  const cells = watch.tasks.map(({ id, copies }) => {
    const runners = watch.runnersOf(id)
    const names = fleet.nodes.filter(node => runners.includes(node.id)).map(node => node.name)
    const phase =
      names.length > 0 ? 'running' : copies[0]?.phase === 'running' ? 'lost' : (copies[0]?.phase ?? 'waiting')
    const where = names.length > 0 ? names.join(' ') : phase
    const text = ` ${cut(plain(id), 18).padEnd(18)} `
    return `${text}${paint(cut(where, half - 22).padEnd(half - 22), names.length > 0 ? phaseColour('running') : 'yellow')}`
  })
  const rows = Math.ceil(cells.length / 2)
  return Array.from({ length: rows }, (_, i) => `${cells[i] ?? ''}  ${cells[i + rows] ?? ''}`)
}

/** Cuts a line that already has colours in it. */
const trim = (text: string, width: number): string => {
  let seen = 0
  let end = 0
  while (end < text.length && seen < width) {
    if (text[end] === '\u001b') end = text.indexOf('m', end) + 1
    else {
      seen++
      end++
    }
  }
  return end < text.length ? `${text.slice(0, end)}\u001b[0m` : text
}
