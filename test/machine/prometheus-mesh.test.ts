// Debian's Prometheus scrapes a mesh of real nodes, with the rules that operators get. A node
// is killed: the alert comes through the whole path, from the verdict to Prometheus' own list
// of alerts. Only the waiting is shortened: the copy of the rules says `for: 2s` instead of a minute.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { cleanUp, makeDirectory, type RunningShoal, up } from '../cli/shoal.js'
import { requireTool } from './namespaces.js'

const RULES = fileURLToPath(new URL('../../../docker/prometheus/rules.yml', import.meta.url))
const BOUND_MS = 60_000

interface Alert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly state: string
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

/** Asks until the answer is there; fails with the last thing that was heard. */
const until = async <T>(what: string, ask: () => Promise<T | undefined>): Promise<T> => {
  const end = Date.now() + BOUND_MS
  let last = 'nothing'
  while (Date.now() < end) {
    try {
      const found = await ask()
      if (found !== undefined) return found
    } catch (error) {
      last = String(error)
    }
    await sleep(200)
  }
  throw new Error(`${what}: not within ${BOUND_MS} ms; last: ${last}`)
}

const json = async <T>(url: string): Promise<T> =>
  (await (await fetch(url, { signal: AbortSignal.timeout(5_000) })).json()) as T

const stop = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'close')
}

test('Prometheus scrapes a mesh, and a killed node raises its alert', async t => {
  for (const tool of ['prometheus', 'promtool']) requireTool(tool)
  t.timeout(4 * BOUND_MS)
  const directory = makeDirectory()
  const nodes: RunningShoal[] = []
  let prometheus: ChildProcess | undefined
  try {
    for (const name of ['gw-1', 'gw-2', 'gw-3']) {
      const join0 = nodes.flatMap(({ addrs }) => ['--join', addrs[0] as string])
      nodes.push(await up(['--name', name, '--data', join(directory, name), ...join0]))
    }
    const [first, , victim] = nodes as [RunningShoal, RunningShoal, RunningShoal]
    await until('all three are members', async () =>
      (await json<unknown[]>(`http://${first.api}/v1/members`)).length === 3 ? true : undefined,
    )

    const rules = readFileSync(RULES, 'utf8')
    const quick = rules.replaceAll(/^( +for:) \S+$/gm, '$1 2s')
    t.not(quick, rules)
    writeFileSync(join(directory, 'rules.yml'), quick)
    const targets = nodes.map(({ api }) => `"${api}"`).join(', ')
    const config = join(directory, 'prometheus.yml')
    writeFileSync(
      config,
      `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [rules.yml]
scrape_configs:
  - job_name: shoal
    static_configs: [{ targets: [${targets}] }]
`,
    )
    const checked = spawnSync('promtool', ['check', 'config', config], { encoding: 'utf8' })
    t.is(checked.status, 0, `${checked.stdout}${checked.stderr}`)
    for (const { api } of nodes) {
      const input = await (await fetch(`http://${api}/metrics`)).text()
      const metrics = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' })
      t.is(metrics.status, 0, `${metrics.stdout}${metrics.stderr}`)
      t.is(metrics.stdout + metrics.stderr, '')
    }

    const port = await freePort()
    let log = ''
    prometheus = spawn(
      'prometheus',
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(directory, 'tsdb')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    )
    prometheus.stderr?.on('data', chunk => {
      log = `${log}${chunk}`.slice(-4_000)
    })
    const api = `http://127.0.0.1:${port}/api/v1`
    const alerts = async (): Promise<Alert[]> =>
      (await json<{ data: { alerts: Alert[] } }>(`${api}/alerts`)).data.alerts

    await until('three targets are up', async () => {
      const { data } = await json<{ data: { activeTargets: { health: string; lastError: string }[] } }>(
        `${api}/targets`,
      )
      if (data.activeTargets.filter(({ health }) => health === 'up').length === 3) return true
      throw new Error(`${JSON.stringify(data.activeTargets)} ${log}`)
    })
    t.deepEqual(
      (await alerts()).filter(({ labels }) => labels.alertname === 'ShoalMemberDead'),
      [],
    )

    const killedAt = Date.now()
    await victim.end('SIGKILL')
    const fired = await until('ShoalMemberDead fires', async () =>
      (await alerts()).find(
        ({ labels, state }) => labels.alertname === 'ShoalMemberDead' && state === 'firing',
      ),
    )
    t.log(`the alert fired ${Date.now() - killedAt} ms after the kill (scrape 1 s, for 2 s)`)
    t.is(fired.labels.member, victim.id)
    t.is(fired.labels.name, 'gw-3')
    t.is(fired.labels.severity, 'warning')
    t.regex(fired.annotations.description ?? '', /^2 nodes hold gw-3/)
    const silent = await until('ShoalNodeNotScraped fires', async () =>
      (await alerts()).find(
        ({ labels, state }) => labels.alertname === 'ShoalNodeNotScraped' && state === 'firing',
      ),
    )
    t.is(silent.labels.instance, victim.api)
  } finally {
    if (prometheus !== undefined) await stop(prometheus)
    await cleanUp(nodes, directory)
  }
})
