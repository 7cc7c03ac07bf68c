// A gateway of a factory floor: a Shoal node that can poll the PLCs that its file names.
//
//   node dist/devices/factory-gateway/gateway.js --config gateway.json [--apply tasks.json]
//
// This is all that it takes to make a program a member of the mesh; the work is in poll.ts.

import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { createNode, ShoalError } from '../../src/index.js'
import { createPoller } from './poll.js'
import { labelOf, readGatewaySettings } from './settings.js'

const log = (line: string): void => void process.stderr.write(`${new Date().toISOString()} ${line}\n`)

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: { config: { type: 'string', default: 'gateway.json' }, apply: { type: 'string' } },
  })
  const { node: nodeOptions, group, broker, plcs } = readGatewaySettings(values.config)
  const paths = Object.fromEntries(Object.keys(plcs).map(plc => [labelOf(plc), 'yes']))
  const node = await createNode({ ...nodeOptions, labels: { ...nodeOptions.labels, ...paths } })
  node.handle(
    'plc',
    createPoller({
      paths: plcs,
      broker,
      group,
      log,
      report: (source, level, reason) => node.report(source, level, reason),
    }),
  )
  if (values.apply !== undefined) {
    for (const task of JSON.parse(readFileSync(values.apply, 'utf8'))) await node.tasks.put(task)
  }
  const { id, name, addrs } = node.self()
  process.stdout.write(`${JSON.stringify({ id, name, addrs, api: node.api })}\n`)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void node.leave().finally(() => process.exit(0)))
  }
}

main().catch(error => {
  // A mistake in the configuration is a sentence, anything else a bug with its stack.
  log(error instanceof ShoalError ? error.message : String(error?.stack ?? error))
  process.exit(1)
})
