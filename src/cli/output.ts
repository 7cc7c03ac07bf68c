// How answers look on a terminal: tables that fit, colour that means something and
// is absent from pipes, ages in words. Text from other nodes is printed without its
// control characters: a member's name must not be able to redraw this screen.

const COLUMNS_MIN = 80

export type Colour = 'green' | 'yellow' | 'red' | 'grey' | 'cyan' | 'bold'

const CODES: Readonly<Record<Colour, readonly [number, number]>> = {
  green: [32, 39],
  yellow: [33, 39],
  red: [31, 39],
  grey: [90, 39],
  cyan: [36, 39],
  bold: [1, 22],
}

/** Colour only on a terminal, and never where NO_COLOR is set (no-color.org). */
export const hasColour = (stream: { isTTY?: boolean } = process.stdout, env = process.env): boolean =>
  stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb'

export const paint = (text: string, colour: Colour | null, on = hasColour()): string => {
  if (!on || colour === null) return text
  const [open, close] = CODES[colour]
  return `\u001b[${open}m${text}\u001b[${close}m`
}

/** What others wrote, on one line. */
export const plain = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it removes.
  text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, ' ')

export const line = (text = ''): void => void process.stdout.write(`${text}\n`)

export const printJson = (value: unknown): void => line(visible(JSON.stringify(value, null, 2)))

/** One object a line, for streams. */
export const printJsonLine = (value: unknown): void => line(visible(JSON.stringify(value)))

/** JSON leaves some characters as they are that move a terminal's cursor or turn its text round; escaped they are the same JSON. */
const visible = (json: string): string =>
  json.replace(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

export const cut = (text: string, width: number): string =>
  text.length <= width ? text : width <= 1 ? '…' : `${text.slice(0, width - 1)}…`

export interface Cell {
  readonly text: string
  readonly colour: Colour | null
}

export const cell = (text: string, colour: Colour | null = null): Cell => ({ text, colour })

export interface Column {
  readonly title: string
  /** Columns that may be cut, and how far. The widest goes first. */
  readonly least?: number
  readonly right?: boolean
}

export const terminalWidth = (): number => Math.max(COLUMNS_MIN, process.stdout.columns ?? COLUMNS_MIN)

/** The lines of a table, none wider than `width`. */
export const table = (
  columns: readonly Column[],
  rows: readonly (readonly (string | Cell)[])[],
  width = terminalWidth(),
  colours = hasColour(),
): string[] => {
  const cells = rows.map(row =>
    row.map(each => {
      const { text, colour } = typeof each === 'string' ? cell(each) : each
      return { text: plain(text), colour }
    }),
  )
  const widths = columns.map(({ title }, i) =>
    Math.max(title.length, ...cells.map(row => row[i]?.text.length ?? 0)),
  )
  const gap = 2
  let over = widths.reduce((sum, each) => sum + each + gap, -gap) - width
  while (over > 0) {
    const spare = columns.map(({ least }, i) => (least === undefined ? 0 : (widths[i] as number) - least))
    const widest = spare.indexOf(Math.max(...spare))
    if ((spare[widest] ?? 0) <= 0) break
    widths[widest] = (widths[widest] as number) - 1
    over--
  }
  const put = (text: string, i: number): string => {
    const short = cut(text, widths[i] as number)
    return columns[i]?.right === true
      ? short.padStart(widths[i] as number)
      : short.padEnd(widths[i] as number)
  }
  const last = columns.length - 1
  const join = (parts: readonly string[]): string => parts.join(' '.repeat(gap))
  const titles = join(columns.map(({ title }, i) => (i === last ? title : put(title, i))))
  return [
    paint(cut(titles.trimEnd(), width), 'grey', colours),
    ...cells.map(row =>
      join(
        row.map(({ text, colour }, i) => {
          const shown =
            i === last && columns[i]?.right !== true ? cut(text, widths[i] as number) : put(text, i)
          return paint(shown, colour, colours)
        }),
      ).trimEnd(),
    ),
  ]
}

/** Names and values, one below the other. */
export const list = (pairs: readonly (readonly [string, string | Cell])[]): string[] => {
  const width = Math.max(...pairs.map(([name]) => name.length))
  return pairs.map(([name, value]) => {
    const { text, colour } = typeof value === 'string' ? cell(value) : value
    return `${paint(name.padEnd(width), 'grey')}  ${paint(plain(text), colour)}`
  })
}

/** `0.3 s`, `12 s`, `4 min`, `3 h`, `9 d`. */
export const age = (ms: number): string => {
  const past = Math.max(0, ms)
  if (past < 9_950) return `${(past / 1_000).toFixed(1)} s`
  if (past < 99_500) return `${Math.round(past / 1_000)} s`
  if (past < 99.5 * 60_000) return `${Math.round(past / 60_000)} min`
  if (past < 47.5 * 3_600_000) return `${Math.round(past / 3_600_000)} h`
  return `${Math.round(past / 86_400_000)} d`
}

/** The time of day where this machine stands, to the millisecond; with the date when it is not today's. */
export const clockTime = (at: number, now = Date.now()): string => {
  const date = new Date(at)
  const two = (n: number): string => String(n).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} `
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`
  return new Date(now).toDateString() === date.toDateString() ? time : day + time
}

export const verdictColour = (verdict: string): Colour | null =>
  verdict === 'alive' ? 'green' : verdict === 'suspect' ? 'yellow' : verdict === 'dead' ? 'red' : 'grey'

export const healthColour = (health: string): Colour | null =>
  health === 'ok' ? null : health === 'strained' ? 'yellow' : 'red'

export const phaseColour = (phase: string): Colour | null =>
  phase === 'running' ? 'green' : phase === 'failed' ? 'red' : phase === 'stopped' ? 'grey' : 'yellow'
