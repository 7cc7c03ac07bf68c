// The interface fuzzed from its own OpenAPI document: no 500, no crash, nothing left over.

import { randomInt } from 'node:crypto'
import test from 'ava'
import { createRng } from '../../src/core/rng.js'
import { startNode, steady } from './fixture.js'
import { type ApiDocument, fuzz } from './fuzzer.js'

const REQUESTS = 3_000

test('whatever is sent is answered as the document says, and nothing is left over', async t => {
  const seed = Number(process.env.SHOAL_SEED ?? randomInt(2 ** 32))
  t.log(`seed ${seed}; again with SHOAL_SEED=${seed}`)
  const node = await startNode({ allow: ['handler'] })
  try {
    node.handlers.register('steady', steady)
    node.handlers.register('quick', async () => 1)
    const { json } = await node.ask('GET', '/v1/openapi.json')
    const report = await fuzz(node.port, json as ApiDocument, createRng(seed), REQUESTS, 8)
    t.deepEqual(report.faults, [])
    t.true(report.byOperation.size > 20)
    t.true((report.byStatus.get(200) ?? 0) > REQUESTS / 10)
    t.deepEqual((await node.ask('GET', '/readyz')).json, { ready: true })
    t.is(node.server.stats().streams, 0)
    // The request that asks is the only one.
    const { text } = await node.ask('GET', '/metrics')
    t.regex(text, /^shoal_http_event_streams 0$/m)
    t.true(node.server.stats().underWay <= 1)
  } finally {
    await node.close()
  }
})
