// The table that a bench of real nodes prints: one line a figure, beside its budget.

import { median, quantile } from './fleet.js'

export interface Row {
  readonly what: string
  readonly unit: string
  readonly values: readonly number[]
  /** The most that the median may be; null where none was set. */
  readonly budget?: number | null
  /** The most that its 99th percentile may be, which is then shown. */
  readonly p99?: number
}

const show = (value: number): string =>
  Number.isNaN(value) ? '-' : Math.abs(value) >= 100 ? value.toFixed(0) : Number(value.toFixed(2)).toString()

export const row = ({ what, unit, values, budget = null, p99 }: Row): void => {
  const middle = median(values)
  const tail = quantile(values, 0.99)
  const isKept = (budget === null || middle <= budget) && (p99 === undefined || tail <= p99)
  const cells = [
    what.padEnd(62),
    `median ${show(middle)} ${unit}`.padEnd(22),
    `max ${show(quantile(values, 1))}`.padEnd(12),
    `n ${values.length}`.padEnd(8),
    budget === null && p99 === undefined
      ? ''
      : `budget ${budget === null ? '' : show(budget)}${p99 === undefined ? '' : ` p99 ${show(tail)} of ${show(p99)}`} ${values.length === 0 ? 'NOT MEASURED' : isKept ? 'kept' : 'OVER'}`,
  ]
  console.log(cells.join(' ').trimEnd())
  if (process.argv.includes('--values')) remark(values.map(show).join(' '))
}

export const remark = (text: string): void => console.log(`  ${text}`)

/** What a program was asked to do: words choose its parts, `--quick` makes them small, `--name=N` sets numbers. */
export const request = (argv: readonly string[] = process.argv.slice(2)) => {
  const words = argv.filter(arg => !arg.startsWith('--'))
  const numbers = new Map(
    argv.flatMap(arg =>
      /^--([a-z]+)=(\d+)$/.exec(arg)?.slice(1)
        ? [[arg.slice(2).split('=')[0], Number(arg.split('=')[1])] as const]
        : [],
    ),
  )
  const isQuick = argv.includes('--quick')
  return {
    isQuick,
    wants: (part: string): boolean => words.length === 0 || words.some(word => part.includes(word)),
    number: (name: string, full: number, quick = full): number =>
      numbers.get(name) ?? (isQuick ? quick : full),
  }
}

/** Runs a part; its failure is printed and reddens the program, and the next part goes on. */
export const part = async (name: string, run: () => Promise<void>): Promise<void> => {
  try {
    await run()
  } catch (error) {
    console.log(`${name}: FAILED ${error instanceof Error ? (error.stack ?? error.message) : error}`)
    process.exitCode = 1
  }
}
