// A gateway of a city: a Shoal node that can collect the readings of a street and forward
// what became of them.
//
//   node dist/devices/city-sensor-gateway/gateway.js --config gateway.json [--apply tasks.json]

import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { createNode, ShoalError } from '../../src/index.js'
import { createCollector } from './collect.js'
import { createForwarder } from './forward.js'
import { readGatewaySettings } from './settings.js'

const log = (line: string): void => void process.stderr.write(`${new Date().toISOString()} ${line}\n`)

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: { config: { type: 'string', default: 'gateway.json' }, apply: { type: 'string' } },
  })
  const { node: nodeOptions, street, uplink, simulate } = readGatewaySettings(values.config)
  const paths = { ...(street && { street: 'yes' }), ...(uplink && { uplink: 'yes' }) }
  const node = await createNode({ ...nodeOptions, labels: { ...nodeOptions.labels, ...paths } })
  const options = {
    street,
    uplink,
    log,
    report: node.report,
    now: () => simulate.origin + (Date.now() - simulate.origin) * simulate.scale,
  }
  node.handle('collect', createCollector(options))
  node.handle('forward', createForwarder(options))
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
