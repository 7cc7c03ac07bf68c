// The example programs, run as tasks against a small server that speaks the two
// requests they make: they count on from their checkpoint, and stop when fenced.
// They need what they are written for: a shell with curl, and Python 3.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import { openTestBed } from '../adapters/executors/fixture.js'
import { copyOf, specOf, watch } from '../contracts/executor.js'
import { requireTool } from './namespaces.js'

for (const [file, tool] of [
  ['counter.sh', 'curl'],
  ['counter.py', 'python3'],
] as const) {
  test(`devices/examples/${file} counts on from its checkpoint until it is fenced`, async t => {
    requireTool(tool)
    const requests: string[] = []
    const server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => {
        body += chunk
      })
      request.on('end', () => {
        const token = request.headers.authorization?.replace('Bearer ', '') ?? ''
        const live = bed.tokens.check(token)?.live ?? false
        requests.push(`${request.method} ${request.url} ${body}${live ? '' : ' (token not live)'}`)
        response.statusCode = requests.length > 4 ? 409 : 204
        response.end()
      })
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const bed = await openTestBed({ api: () => api })
    const seen = watch()
    bed.executor.start(
      { copy: copyOf(), spec: specOf({ exec: [`devices/examples/${file}`] }), checkpoint: 41 },
      seen.listener,
    )
    t.regex((await seen.exited).error ?? '', /exit code 1: .*409/)
    t.deepEqual(requests, [
      'PUT /v1/tasks/t1/checkpoint 42',
      'PUT /v1/state/counters/t1 42',
      'PUT /v1/tasks/t1/checkpoint 43',
      'PUT /v1/state/counters/t1 43',
      'PUT /v1/tasks/t1/checkpoint 44',
    ])
    server.close()
    await bed.cleanUp()
  })
}
