// No process of a program's group outlives its node, nor its copy: children, grandchildren,
// those that ignore SIGTERM; on stop, on SIGKILL of the node, on a Ctrl-C in its terminal.
// What leaves its group does: the limit is stated, and shown here.

import { once } from 'node:events'
import test from 'ava'
import type { TaskRun } from '../../src/core/tasks/spec.js'
import { openTestBed } from '../adapters/executors/fixture.js'
import { copyOf, specOf, watch } from '../contracts/executor.js'
import { carriers, eventually, isAlive, pidsAfter, reaperOf, startNode } from './executor-processes.js'

// A family: the program, a child, a grandchild, and one that is deaf to SIGTERM.
const FAMILY = `
  sleep 600 & echo "member $!"
  sh -c 'sleep 600 & echo "member $!"; echo "member $$"; wait' &
  sh -c 'trap "" TERM; echo "member $$"; while :; do sleep 600; done' &
  echo "member $$"
  wait`
const FAMILY_SIZE = 5
// Its child leaves the group, and ends by itself, for nobody else ends it should the test fail.
const DAEMON: TaskRun = {
  exec: [
    process.execPath,
    '-e',
    `const daemon = require('node:child_process').spawn('sleep', ['60'], { detached: true, stdio: 'ignore' })
    console.log('daemon ' + daemon.pid)
    console.log('member ' + process.pid)`,
  ],
}

const sh = (script: string, env: Record<string, string> = {}): TaskRun => ({
  exec: ['/bin/sh', '-c', script],
  env,
})

const stopped = async (script: string, size: number, graceMs: number) => {
  const bed = await openTestBed()
  const seen = watch()
  bed.executor.start({ copy: copyOf(), spec: specOf(sh(script)), checkpoint: null }, seen.listener)
  await eventually(() => pidsAfter(seen.lines, 'member').length === size)
  const members = pidsAfter(seen.lines, 'member')
  const before = members.filter(isAlive).length
  bed.executor.stop(copyOf(), graceMs)
  const { error } = await seen.exited
  const gone = await eventually(() => !members.some(isAlive))
  await bed.cleanUp()
  return { before, gone, error }
}

test('a stopped program takes its children and grandchildren with it, deaf ones too', async t => {
  t.deepEqual(await stopped(FAMILY, FAMILY_SIZE, 60_000), { before: FAMILY_SIZE, gone: true, error: null })
})

test('a deaf program is killed with its whole family after the grace', async t => {
  const { before, gone, error } = await stopped(`trap '' TERM; ${FAMILY}; wait; wait`, FAMILY_SIZE, 100)
  t.is(before, FAMILY_SIZE)
  t.true(gone)
  t.is(error, 'it did not stop within 100 ms')
})

test('a frozen program is killed after the grace', async t => {
  const { gone, error } = await stopped('echo "member $$"; kill -STOP $$; sleep 600', 1, 100)
  t.true(gone)
  t.is(error, 'it did not stop within 100 ms')
})

test('what a program leaves behind in its group when it ends by itself is ended too', async t => {
  const bed = await openTestBed()
  const seen = watch()
  const run = sh(`sleep 600 & echo "member $!"; sh -c 'sleep 600 & echo "member $!"'`)
  bed.executor.start({ copy: copyOf(), spec: specOf(run), checkpoint: null }, seen.listener)
  t.is((await seen.exited).error, null)
  const members = pidsAfter(seen.lines, 'member')
  t.is(members.length, 2)
  t.true(await eventually(() => !members.some(isAlive)))
  await bed.cleanUp()
})

test('the stated limit: what left its group (setsid) outlives its copy, and a node that was killed', async t => {
  const node = startNode([DAEMON])
  const bed = await openTestBed()
  const seen = watch()
  const daemons: number[] = []
  try {
    bed.executor.start({ copy: copyOf(), spec: specOf(DAEMON), checkpoint: null }, seen.listener)
    for (const lines of [seen.lines, node.lines]) {
      t.true(
        await eventually(() => pidsAfter(lines, 'member').concat(pidsAfter(lines, 'daemon')).length === 2),
      )
      daemons.push(...pidsAfter(lines, 'daemon'))
    }
    const reaper = reaperOf(node.pid)
    t.truthy(reaper)
    bed.executor.stop(copyOf(), 60_000)
    t.is((await seen.exited).error, null)
    node.end()
    t.true(await eventually(() => !isAlive(reaper ?? 0)), 'it did all that it does')
    t.false(pidsAfter([...seen.lines, ...node.lines], 'member').some(isAlive))
    t.deepEqual(daemons.map(isAlive), [true, true])
  } finally {
    node.end()
    for (const pid of daemons) if (pid > 1 && isAlive(pid)) process.kill(pid, 'SIGKILL')
    await bed.cleanUp()
  }
})

for (const [claim, kill] of [
  ['killed with SIGKILL', (pid: number) => process.kill(pid, 'SIGKILL')],
  ["interrupted in its terminal's group", (pid: number) => process.kill(-pid, 'SIGINT')],
] as const) {
  test(`when a node is ${claim}, its programs die with all their families, and then its reaper`, async t => {
    const node = startNode([sh(FAMILY), sh('sleep 600 & echo "member $!"; echo "member $$"; wait')])
    try {
      t.true(await eventually(() => pidsAfter(node.lines, 'member').length === FAMILY_SIZE + 2))
      const members = pidsAfter(node.lines, 'member')
      t.is(members.filter(isAlive).length, FAMILY_SIZE + 2)
      const reaper = reaperOf(node.pid)
      t.truthy(reaper)
      kill(node.pid)
      t.true(await eventually(() => !members.some(isAlive)))
      t.true(await eventually(() => !isAlive(reaper ?? 0)))
    } finally {
      node.end()
    }
  })
}

test('a node whose reaper was killed gets another, which knows what runs', async t => {
  const node = startNode([sh(FAMILY)])
  try {
    t.true(await eventually(() => pidsAfter(node.lines, 'member').length === FAMILY_SIZE))
    const members = pidsAfter(node.lines, 'member')
    const first = reaperOf(node.pid)
    if (first === undefined) throw new Error('the node has no reaper')
    process.kill(first, 'SIGKILL')
    t.true(await eventually(() => node.lines.includes('log another reaper holds the programs')))
    t.not(reaperOf(node.pid), first)
    t.is(members.filter(isAlive).length, FAMILY_SIZE)
    node.end()
    t.true(await eventually(() => !members.some(isAlive)))
  } finally {
    node.end()
  }
})

test('a node killed in the call that says that a program was started leaves none of them', async t => {
  for (const killAt of [1, 2, 20]) {
    const mark = `SHOAL_TEST_MARK=started-${process.pid}-${killAt}`
    const [name, value] = mark.split('=') as [string, string]
    const node = startNode([sh('sleep 60 & exec sleep 60', { [name]: value })], 20, killAt)
    const [, signal] = (await once(node.child, 'exit')) as [number | null, string | null]
    t.is(signal, 'SIGKILL')
    t.true(await eventually(() => carriers(mark).length === 0), `killed at start ${killAt}`)
  }
})

test('a node killed amid a hundred starts leaves none of them, nor any part of one', async t => {
  t.timeout(120_000)
  for (let round = 0; round < 20; round += 1) {
    const mark = `SHOAL_TEST_MARK=race-${process.pid}-${round}`
    const [name, value] = mark.split('=') as [string, string]
    // What is left, should the claim be false, ends by itself.
    const node = startNode([sh('sleep 30 & exec sleep 30', { [name]: value })], 100)
    try {
      t.true(await eventually(() => node.lines.includes('starting')))
      // From the first start on, through the whole hundred.
      const killAt = performance.now() + round * 15
      await eventually(() => performance.now() >= killAt)
      const reaper = reaperOf(node.pid)
      node.end()
      if (node.child.signalCode === null) await once(node.child, 'exit')
      t.true(await eventually(() => !isAlive(reaper ?? 0)))
      t.true(await eventually(() => carriers(mark).length === 0), `killed after ${round * 15} ms`)
    } finally {
      node.end()
    }
  }
})
