// A process that does nothing but run programs, for the tests that kill it. The first
// argument is a JSON list of `run`s, the second how many times to start each; every
// line that a program prints is printed, and `starting` before the first start. With a
// third, it kills itself in the very call that says that so many were started.

import { createExecutor } from '../../src/adapters/executors/executor.js'
import { createCopyTokens } from '../../src/adapters/executors/tokens.js'
import { nodeId } from '../../src/core/ids.js'
import { copyOf, specOf } from '../contracts/executor.js'

const print = (text: string): void => void process.stdout.write(`log ${text}\n`)
const log = { debug() {}, info() {}, warn: print, error: print }
const executor = createExecutor({
  node: nodeId('12D3KooTest'),
  modulesDir: null,
  allow: ['exec'],
  log,
  tokens: createCopyTokens(),
  api: () => null,
  space: () => {
    throw new Error('these programs use no state')
  },
  now: Date.now,
})

process.stdout.write('starting\n')
const killAt = Number(process.argv[4] ?? Number.POSITIVE_INFINITY)
let slot = 0
let startedCount = 0
for (let round = 0; round < Number(process.argv[3]); round += 1) {
  for (const run of JSON.parse(process.argv[2] ?? '[]')) {
    slot += 1
    executor.start(
      { copy: copyOf(slot), spec: specOf(run), checkpoint: null },
      {
        started() {
          startedCount += 1
          if (startedCount === killAt) process.kill(process.pid, 'SIGKILL')
        },
        exited: outcome => process.stdout.write(`exited ${outcome.error}\n`),
        saved: async () => {},
        logged: (_stream, line) => process.stdout.write(`${line}\n`),
      },
    )
  }
}
setInterval(() => {}, 60_000)
