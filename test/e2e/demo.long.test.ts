// The demo as a newcomer starts it, and as it ends, whatever ends it.

import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { type Began, beganAt, descendantsOf, signalProcess } from '../../src/demo/processes.js'
import { shippedCommand } from '../fleet/shipped.js'

const CLI = await shippedCommand()
const BOUND_MS = 90_000
/** Where nothing is said of a demo's mesh, the smallest that it makes will do. */
const FEWEST = ['--nodes', '3']

const startDemo = (t: { teardown(work: () => void): void }, args: readonly string[]) => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-e2e-'))
  const child = spawn(process.execPath, [CLI, 'demo', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH ?? '', HOME: folder, TMPDIR: folder },
  })
  t.teardown(() => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })
  let out = ''
  child.stdout.on('data', chunk => {
    out += chunk
  })
  child.stderr.on('data', chunk => {
    out += chunk
  })
  const ended = new Promise<number | null>(resolve => child.once('close', code => resolve(code)))
  return { folder, child, ended, out: () => out }
}

const eventually = async (holds: () => boolean): Promise<boolean> => {
  const until = performance.now() + BOUND_MS
  while (!holds()) {
    if (performance.now() > until) return false
    await sleep(20)
  }
  return true
}

const isThere = ({ pid, began }: Began): boolean => beganAt(pid) === began

test.serial('headless: a story with measured times, nothing uncovered, nothing left', async t => {
  const demo = startDemo(t, ['--headless', '--seconds', '15'])
  // All that it ever started: on a busy machine the first node may be killed before anybody looks.
  const started = new Map<number, Began>()
  const hasBegun = await eventually(() => {
    for (const each of descendantsOf([demo.child.pid as number])) started.set(each.pid, each)
    return demo.out().includes('12 tasks run on 5 nodes')
  })
  t.true(hasBegun, demo.out())
  t.true(started.size >= 7)
  t.is(await demo.ended, 0, demo.out())
  const lines = demo.out().trim().split('\n')
  t.regex(demo.out(), /killed gw-\d: known to all after \d+ ms; \d+ tasks? runs? again after \d+/)
  t.regex(demo.out(), /froze gw-\d: known to all after \d+ ms/)
  t.regex(demo.out(), /cut off gw-\d: known to all after \d+ ms/)
  t.regex(lines.at(-1) ?? '', /^demo: 12 tasks, \d+ faults, longest gap \d+ ms, 0 uncovered$/)
  t.deepEqual([...started.values()].filter(isThere), [])
  t.deepEqual(readdirSync(demo.folder), [])
})

test.serial('its door controls nodes for whoever has the token, and only from this machine', async t => {
  const demo = startDemo(t, FEWEST)
  t.true(await eventually(() => demo.out().includes('12 tasks run')), demo.out())
  const [, base, token] = /(http:\/\/127\.0\.0\.1:\d+)\/#token=(\S+)/.exec(demo.out()) ?? []
  const url = `${base}/v1/demo`
  const said = (await (await fetch(url)).json()) as { controls: string[] }
  t.deepEqual(said.controls, ['kill', 'freeze', 'cut', 'revive'])
  const act = (body: unknown, headers: Record<string, string> = { authorization: `Bearer ${token}` }) =>
    fetch(url, { method: 'POST', body: JSON.stringify(body), headers })
  t.is((await act({ action: 'kill', node: 'gw-2' }, {})).status, 401)
  t.is(
    (
      await act(
        { action: 'kill', node: 'gw-2' },
        { authorization: `Bearer ${token}`, origin: 'http://evil.example' },
      )
    ).status,
    403,
  )
  t.is((await act({ action: 'burn', node: 'gw-2' })).status, 400)
  t.is((await act({ action: 'kill', node: 'gw-9' })).status, 404)
  t.is((await act({ action: 'revive', node: 'gw-2' })).status, 409)
  t.is((await act({ action: 'kill', node: 'gw-1' })).status, 204)
  t.true(await eventually(() => /killed gw-1: known to all/.test(demo.out())), demo.out())
  // The node that served the page is gone; another one answers.
  const members = (await (await fetch(`${base}/v1/members`)).json()) as { name: string; verdict: string }[]
  t.is(members.find(({ name }) => name === 'gw-1')?.verdict, 'dead')
  demo.child.kill('SIGTERM')
  t.is(await demo.ended, 0)
  t.deepEqual(readdirSync(demo.folder), [])
})

test.serial('SIGKILL of the demo leaves nothing, not even a node that is frozen', async t => {
  const demo = startDemo(t, FEWEST)
  t.true(await eventually(() => demo.out().includes('12 tasks run')), demo.out())
  const started = descendantsOf([demo.child.pid as number])
  const frozen = started.find(({ pid }) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('gw-3'))
  t.true(frozen !== undefined && signalProcess(frozen.pid, frozen.began, 'SIGSTOP'))
  demo.child.kill('SIGKILL')
  t.true(await eventually(() => !started.some(isThere)))
  t.true(await eventually(() => readdirSync(demo.folder).length === 0))
})

test.serial('a folder that a demo and its warden left is removed by the next demo', async t => {
  const first = startDemo(t, FEWEST)
  t.true(await eventually(() => first.out().includes('12 tasks run')), first.out())
  const started = descendantsOf([first.child.pid as number])
  const left = join(first.folder, readdirSync(first.folder)[0] ?? '')
  const warden = started.find(({ pid }) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('warden'))
  t.true(warden !== undefined && signalProcess(warden.pid, warden.began, 'SIGKILL'))
  first.child.kill('SIGKILL')
  t.true(await eventually(() => !started.some(isThere)))
  t.true(existsSync(left))
  const { makeFolder } = await import('../../src/demo/folder.js')
  const before = process.env.TMPDIR
  process.env.TMPDIR = first.folder
  t.teardown(() => {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
  })
  const next = makeFolder()
  t.false(existsSync(left))
  t.true(existsSync(next))
})
