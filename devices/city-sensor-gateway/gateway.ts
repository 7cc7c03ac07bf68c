// A gateway of a city: a Shoal node that can collect the readings of a street and forward
// what became of them.
//
//   node dist/devices/city-sensor-gateway/gateway.js --config gateway.json [--apply tasks.json]

import { createNode } from '../../src/index.js'
import { log, runGateway } from '../plug/run.js'
import { createCollector } from './collect.js'
import { createForwarder } from './forward.js'
import { readGatewaySettings } from './settings.js'

runGateway('dist/devices/city-sensor-gateway/gateway.js', async (config, report) => {
  const { node: nodeOptions, street, uplink, simulate } = readGatewaySettings(config)
  const paths = { ...(street && { street: 'yes' }), ...(uplink && { uplink: 'yes' }) }
  const node = await createNode({ ...nodeOptions, labels: { ...nodeOptions.labels, ...paths } })
  const now = () => simulate.origin + (Date.now() - simulate.origin) * simulate.scale
  const options = { street, uplink, log, report, now }
  node.handle('collect', createCollector(options))
  node.handle('forward', createForwarder(options))
  return node
})
