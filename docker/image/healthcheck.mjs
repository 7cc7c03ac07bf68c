// Asks the node whether it is ready; exit 0 when it says so. As little as possible is
// loaded, because it runs inside the container's limits every half minute.

import { get } from 'node:http'

const port = Number(/:(\d+)$/.exec(process.env.SHOAL_API ?? '')?.[1] ?? 4780)
const request = get({ host: '127.0.0.1', port, path: '/readyz', timeout: 8_000 }, response => {
  process.exit(response.statusCode === 200 ? 0 : 1)
})
request.on('timeout', () => request.destroy(new Error('no answer within 8 s')))
request.on('error', () => process.exit(1))
