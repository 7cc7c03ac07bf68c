// What the two gateway programs have in common: the command line, the tasks file, how the
// node itself is, and the end.

import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { ShoalError, type ShoalNode, type TaskDeclaration } from '../../src/index.js'
import type { LogLine, Report } from './condition.js'

export const log: LogLine = line => void process.stderr.write(`${new Date().toISOString()} ${line}\n`)

interface Arguments {
  readonly config: string
  readonly apply: string | undefined
}

/** Runs a gateway program. A mistake of its user is a sentence, anything else a bug with its stack. */
export const runGateway = (
  program: string,
  start: (config: string, report: Report) => Promise<ShoalNode>,
): void => {
  main(program, start).catch(error => {
    log(error instanceof ShoalError ? error.message : String(error?.stack ?? error))
    process.exit(1)
  })
}

const main = async (program: string, start: Parameters<typeof runGateway>[1]): Promise<void> => {
  const { config, apply } = readArguments(program)
  const tasks = apply === undefined ? [] : readTasks(apply)
  const reported = new Set<string>()
  let node: ShoalNode | null = null
  node = await start(config, (source, level, reason) => {
    reported.add(source)
    node?.report(source, level, reason)
  })
  sayHealth(node, reported)
  for (const task of tasks) await node.tasks.put(task)
  const { id, name, addrs } = node.self()
  process.stdout.write(`${JSON.stringify({ id, name, addrs, api: node.api })}\n`)
  const { leave } = node
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void leave().finally(() => process.exit(0)))
  }
}

const readArguments = (program: string): Arguments => {
  const usage = `usage: node ${program} [--config gateway.json] [--apply tasks.json]`
  try {
    const { values } = parseArgs({
      options: {
        config: { type: 'string', default: 'gateway.json' },
        apply: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) {
      process.stdout.write(`${usage}\n`)
      process.exit(0)
    }
    return { config: values.config, apply: values.apply }
  } catch (error) {
    throw new ShoalError('USAGE', `${error instanceof Error ? error.message : String(error)}\n${usage}`)
  }
}

/** One task or a list of them, as `shoal tasks apply` takes it. What each says is checked when it is put. */
const readTasks = (file: string): readonly TaskDeclaration[] => {
  try {
    const tasks: unknown = JSON.parse(readFileSync(file, 'utf8'))
    return (Array.isArray(tasks) ? tasks : [tasks]) as TaskDeclaration[]
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new ShoalError('CONFIG_INVALID', `${file}: ${why}`, { cause: error })
  }
}

/** A line when the node itself is not well (its disk is full, say); what this program reports has its own lines. */
const sayHealth = (node: ShoalNode, reported: ReadonlySet<string>): void => {
  let said = ''
  node.on('health', ({ member, health, reasons = [] }) => {
    if (member !== node.id) return
    const isReported = (reason: string) => [...reported].some(source => reason.startsWith(`${source}: `))
    const own = reasons.filter(reason => !isReported(reason))
    const line = own.length === 0 ? '' : `node: ${health}: ${own.join('; ')}`
    if (line === said) return
    said = line
    log(line === '' ? 'node: ok' : line)
  })
}
