// The shell that ends programs, alone, with a `kill` that only says what it would have
// done: a mistake in it could end every process of the machine, and the test's first.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { REAPER_SCRIPT } from '../../../src/adapters/executors/reaper.js'

const HARMLESS = `kill() { echo "kill $*"; }
sleep() { echo "sleep $*"; }
`

/** What it would do, and where: `proc` stands for /proc. */
const reap = (input: string, { proc = '/nowhere', prelude = '' } = {}) => {
  const script = HARMLESS + prelude + REAPER_SCRIPT.replaceAll('/proc/', `${proc}/`)
  const { stdout, status } = spawnSync('/bin/sh', ['-c', script], { input, encoding: 'utf8' })
  return { did: stdout.split('\n').filter(line => line !== ''), status }
}

// Numbers that no process has, not even the shell itself in a small namespace.
const [A, B, C] = [900_000_001, 900_000_002, 900_000_003]

test('it kills the groups that it still holds at the end of its input, once more after a pause', t => {
  const { did, status } = reap(`+${A}\n+${B}\n+${C}\n-${A}\n`)
  t.deepEqual(did, [`kill -9 -${C}`, `kill -9 -${B}`, 'sleep 0.1', `kill -9 -${C}`, `kill -9 -${B}`])
  t.is(status, 0)
})

test('it kills nothing when it holds nothing', t => {
  t.deepEqual(reap('').did, [])
  t.deepEqual(reap(`+${A}\n-${A}\n`).did, [])
})

test('what is not the number of a group is never killed', t => {
  for (const word of [
    ...['', '0', '1', '-1', '-12', '+12', '01', '012', '0x12', '1 2', '12a', 'a12', '1.5', '*', '?', '$$'],
    // As 32 bits these are -1 and 1: everybody.
    ...['4294967295', '4294967297', '18446744073709551615', '99999999999999999999999'],
    ...['12;echo kill', '$(echo 12)', '`echo 12`', '$PATH', '12\\', '"12"', '\u0661\u0662'],
  ]) {
    t.deepEqual(reap(`+${word}\n`).did, [], JSON.stringify(word))
  }
  for (const line of ['12', ' 12', '=12', 'hold 12', '*12', '++12', '+-12']) {
    t.deepEqual(reap(`${line}\n`).did, [], line)
  }
})

test('a line that was cut off by the death of its writer is not taken', t => {
  t.deepEqual(reap(`+${A}\n+${B}`).did, [`kill -9 -${A}`, 'sleep 0.1', `kill -9 -${A}`])
})

test('it does not kill itself', t => {
  const { did } = reap('', { prelude: 'read() { [ -z "$asked" ] && asked=1 line=+$$; }\n' })
  t.deepEqual(did, [])
})

test('through any order of adding and removing it holds what a set would hold', t => {
  let seed = 20_261_121
  const next = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((seed / 2_147_483_648) * below)
  }
  const expected = new Set<string>()
  let input = ''
  for (let step = 0; step < 3_000; step += 1) {
    const group = String(A + next(60))
    const isAdded = next(2) === 0
    input += `${isAdded ? '+' : '-'}${group}\n`
    if (isAdded) expected.add(group)
    else expected.delete(group)
  }
  const { did } = reap(input)
  const once = did.slice(0, did.indexOf('sleep 0.1')).map(line => line.replace('kill -9 -', ''))
  t.true(expected.size > 0)
  t.deepEqual([...once].sort(), [...expected].sort(), 'seed 20261121')
})

test('a group whose number has become that of another is left alone', t => {
  const proc = mkdtempSync(join(tmpdir(), 'shoal-proc-'))
  try {
    const statOf = (pid: number, began: number): string =>
      `${pid} (a ) R (b) S 1 ${pid} ${pid} 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 ${began} 9 9\n`
    for (const pid of [A, B, C]) {
      mkdirSync(join(proc, String(pid)))
      writeFileSync(join(proc, String(pid), 'stat'), statOf(pid, 1_000))
    }
    // During the pause B becomes another's, and the first process of C ends.
    const prelude = `sleep() { echo "${statOf(B, 2_000).trim()}" >"${proc}/${B}/stat"; rm "${proc}/${C}/stat"; }\n`
    const { did } = reap(`+${A}\n+${B}\n+${C}\n`, { proc, prelude })
    t.deepEqual(did, [`kill -9 -${A}`, `kill -9 -${B}`, `kill -9 -${C}`, `kill -9 -${A}`, `kill -9 -${C}`])
  } finally {
    rmSync(proc, { recursive: true })
  }
})
