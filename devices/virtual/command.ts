// What the virtual machines have in common as commands: flags with what each accepts, and
// one sentence instead of a stack where something is wrong. Exit 2 is a wrong call, 1 a
// machine that could not start.

import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'

export type Flag =
  | { readonly default: number; readonly from: number; readonly to: number; readonly says: string }
  | { readonly default: string; readonly pattern: RegExp; readonly says: string }

type Values<F extends Readonly<Record<string, Flag>>> = { [K in keyof F]: F[K]['default'] }

class WrongCall extends Error {}

/** Reads the flags, starts the machine, and then does what each line on standard input orders. */
export const runMachine = async <F extends Readonly<Record<string, Flag>>>(
  program: string,
  flags: F,
  start: (values: Values<F>) => Promise<(line: string) => string | Promise<string>>,
): Promise<void> => {
  try {
    const values = readFlags(program, flags)
    if (values === null) return
    const order = await start(values)
    createInterface({ input: process.stdin }).on('line', line => {
      void Promise.resolve(order(line.trim())).then(answer => process.stdout.write(`${answer}\n`))
    })
  } catch (error) {
    process.stderr.write(`${program}: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = error instanceof WrongCall ? 2 : 1
  }
}

/** Null where only help was asked for. */
const readFlags = <F extends Readonly<Record<string, Flag>>>(program: string, flags: F): Values<F> | null => {
  const names = Object.keys(flags)
  const given = parse(program, names)
  if (given.help === true) {
    process.stdout.write(`${helpOf(program, flags)}\n`)
    return null
  }
  const values: Record<string, string | number> = {}
  for (const [name, flag] of Object.entries(flags)) {
    const text = given[name]
    values[name] = typeof text === 'string' ? valueIn(name, flag, text) : flag.default
  }
  return values as Values<F>
}

const parse = (program: string, names: readonly string[]): Readonly<Record<string, unknown>> => {
  const options = Object.fromEntries(names.map(name => [name, { type: 'string' as const }]))
  try {
    return parseArgs({ options: { ...options, help: { type: 'boolean', short: 'h' } } }).values
  } catch (error) {
    // Node adds advice on how to pass what looks like a flag; the first sentence says what is wrong.
    const [what] = (error instanceof Error ? error.message : String(error)).split('. ')
    throw new WrongCall(`${what} (see "${program} --help")`)
  }
}

const valueIn = (name: string, flag: Flag, text: string): string | number => {
  if ('pattern' in flag) {
    if (flag.pattern.test(text)) return text
    throw new WrongCall(`--${name} ${text} will not do: it takes ${flag.says}`)
  }
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value) && value >= flag.from && value <= flag.to) return value
  throw new WrongCall(`--${name} ${text} will not do: it takes ${flag.says}, ${flag.from} to ${flag.to}`)
}

const helpOf = (program: string, flags: Readonly<Record<string, Flag>>): string =>
  [
    `usage: ${program} [--flag VALUE ...]`,
    ...Object.entries(flags).map(
      ([name, flag]) => `  ${`--${name}`.padEnd(16)} ${flag.says} (${flag.default})`,
    ),
  ].join('\n')
