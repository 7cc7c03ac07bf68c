// The function behind `shoal simulate`.

import test from 'ava'
import { ShoalError } from '../../src/core/errors.js'
import { runSimulate, type SimulateArgs } from '../../src/sim/command.js'
import type { Scenario } from '../../src/sim/scenario.js'
import { deathsStand } from './toy-swim.js'
import { toyWorld } from './toy-world.js'

const scenarios: readonly Scenario[] = [
  {
    name: 'toy',
    summary: 'a toy that works',
    nodes: 10,
    seconds: 5,
    create: ({ nodes, seed, replay }) => toyWorld({ nodes, seed, replay }),
    describe: world => [`boots      ${world.tally.boots}`],
  },
  {
    name: 'broken',
    summary: 'a toy with a defect',
    nodes: 40,
    seconds: 60,
    create: ({ nodes, seed, replay }) => {
      const world = toyWorld({
        nodes,
        seed,
        replay,
        bug: true,
        silentAfterMs: 4_000,
        checks: [deathsStand()],
      })
      for (let i = 0; i < 8; i++) world.at(3_000 + 1_000 * i, () => world.crash(i * 4))
      return world
    },
  },
]

const run = (args: SimulateArgs): { code: number; lines: string[] } => {
  const lines: string[] = []
  const out = { line: (text: string) => lines.push(text), elapsedMs: () => 42, freshSeed: () => 4_711 }
  return { code: runSimulate(args, out, scenarios), lines }
}

test('it prints the seed first, then the report, and exits 0', t => {
  const { code, lines } = run({})
  t.is(code, 0)
  t.is(lines[0], 'seed       4711')
  t.regex(lines.join('\n'), /nodes +10, 5 virtual seconds/)
  t.regex(lines.join('\n'), /trace +[0-9a-f]{16}/)
  t.true(lines.includes('boots      10'))
  t.is(lines.at(-1), 'took       42 ms')
})

test('the same seed prints the same report', t => {
  t.deepEqual(run({ seed: '9' }).lines, run({ seed: 9 }).lines)
  t.notDeepEqual(run({ seed: 9 }).lines.slice(1), run({ seed: 10 }).lines.slice(1))
})

test('a violated check exits 1 and prints the command that replays it', t => {
  const { code, lines } = run({ scenario: 'broken', seed: '4' })
  t.is(code, 1)
  t.is(lines[0], 'seed       4')
  t.true(lines.includes('violated: who was held dead stays dead'))
  t.true(lines.includes('  replay  shoal simulate broken --nodes 40 --seconds 60 --seed 4'))
})

test('wrong options name the field, the value and what is accepted', t => {
  const sentence = (args: SimulateArgs): string =>
    t.throws(() => run(args), { instanceOf: ShoalError })?.message ?? ''
  t.is(sentence({ nodes: '0' }), '--nodes is "0"; it must be a whole number from 1 to 20000')
  t.is(sentence({ seconds: '1.5' }), '--seconds is "1.5"; it must be a whole number from 1 to 31536000')
  t.is(sentence({ seed: '-1' }), '--seed is "-1"; it must be a whole number from 0 to 9007199254740991')
  t.is(sentence({ scenario: 'none' }), 'scenario is "none"; it must be one of toy, broken')
})
