// The long form of `test/http/fuzz.test.ts`: a hundred thousand requests in rounds, and
// what the process holds after each. Run as `node dist/test/soak/api-fuzz.js [seed] [rounds]`;
// it ends with exit code 1 at the first fault, or when memory or handles grew.

import '../../src/polyfill.js'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createRng } from '../../src/core/rng.js'
import { startNode, steady } from '../http/fixture.js'
import { type ApiDocument, fuzz } from '../http/fuzzer.js'

const REQUESTS_PER_ROUND = 10_000
/** What a round may leave behind in the heap, once warm: journal and counters are full after the first. */
const GROWTH_BYTES_MAX = 2 << 20
const HANDLES_MORE_MAX = 4

const seed = Number(process.argv[2] ?? Date.now() % 1_000_000)
const rounds = Number(process.argv[3] ?? 10)
console.log(`seed ${seed}; replay with: node dist/test/soak/api-fuzz.js ${seed} ${rounds}`)

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const node = await startNode({ allow: ['handler'] })
node.handlers.register('steady', steady)
node.handlers.register('quick', async () => 1)
const document = (await node.ask('GET', '/v1/openapi.json')).json as ApiDocument
const rng = createRng(seed)

const held: { readonly heap: number; readonly handles: number }[] = []
let failed = false
for (let round = 1; round <= rounds && !failed; round++) {
  const began = performance.now()
  const { faults, byStatus, broken } = await fuzz(
    node.port,
    document,
    rng.fork(round),
    REQUESTS_PER_ROUND,
    16,
  )
  const seconds = (performance.now() - began) / 1_000
  for (const task of node.node.tasks.list()) await node.node.tasks.delete(String(task.id))
  for (let turn = 0; turn < 100; turn++) await new Promise(resolve => setImmediate(resolve))
  collect()
  const heap = process.memoryUsage().heapUsed
  const handles = process.getActiveResourcesInfo().length
  held.push({ heap, handles })
  const statuses = [...byStatus].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`)
  console.log(
    `round ${round}: ${Math.round(REQUESTS_PER_ROUND / seconds)} requests/s, heap ${(heap / 2 ** 20).toFixed(1)} MB, ${handles} handles, ${broken} broken off; ${statuses.join(', ')}`,
  )
  for (const fault of faults) console.log(`  ${fault}`)
  failed = faults.length > 0
}
const warm = held[Math.min(2, held.length - 1)]
const last = held[held.length - 1]
if (warm !== undefined && last !== undefined && held.length > 3) {
  const grown = (last.heap - warm.heap) / (held.length - 3)
  console.log(`grown by ${(grown / 1_024).toFixed(0)} KB a round since the third`)
  if (grown > GROWTH_BYTES_MAX || last.handles > warm.handles + HANDLES_MORE_MAX) failed = true
}
await node.close()
console.log(failed ? 'failed' : 'no 500, no crash, no growth')
process.exitCode = failed ? 1 : 0
