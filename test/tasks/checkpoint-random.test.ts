// A failing seed is replayed with SEED=<n> npx ava dist/test/tasks/checkpoint-random.test.js

import test from 'ava'
import { play } from './checkpoint-play.js'

const SEED = process.env.SEED === undefined ? null : Number(process.env.SEED)

test('whatever happened, the next copy has all that was acknowledged to the one before and to those it went on from', t => {
  const seeds = SEED === null ? Array.from({ length: 250 }, (_, i) => 1 + i) : [SEED]
  let checks = 0
  for (const seed of seeds) {
    const findings = play(seed)
    checks += findings.checks
    t.deepEqual(findings.lost, [])
  }
  t.log(`${checks} checks`)
})
