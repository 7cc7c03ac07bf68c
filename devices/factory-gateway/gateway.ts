// A gateway of a factory floor: a Shoal node that can poll the PLCs that its file names.
//
//   node dist/devices/factory-gateway/gateway.js --config gateway.json [--apply tasks.json]
//
// This is all that it takes to make a program a member of the mesh; the work is in poll.ts.

import { createNode } from '../../src/index.js'
import { log, runGateway } from '../plug/run.js'
import { createPoller } from './poll.js'
import { labelOf, readGatewaySettings } from './settings.js'

runGateway('dist/devices/factory-gateway/gateway.js', async (config, report) => {
  const { node: nodeOptions, group, broker, plcs } = readGatewaySettings(config)
  const paths = Object.fromEntries(Object.keys(plcs).map(plc => [labelOf(plc), 'yes']))
  const node = await createNode({ ...nodeOptions, labels: { ...nodeOptions.labels, ...paths } })
  node.handle('plc', createPoller({ paths: plcs, broker, group, log, report }))
  return node
})
