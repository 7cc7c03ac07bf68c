// The files for Prometheus and Grafana: rules that Prometheus accepts and that fire when they
// should, metrics that a node really has, and a dashboard that asks for no others.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { cleanUp, makeDirectory, up } from '../cli/shoal.js'
import { requireTool } from './namespaces.js'

const FOLDER = fileURLToPath(new URL('../../../docker/', import.meta.url))

const promtool = (args: readonly string[], input = ''): { status: number | null; output: string } => {
  requireTool('promtool')
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8' })
  return { status, output: `${stdout}${stderr}` }
}

test('Prometheus accepts the configuration and the rules', t => {
  const rules = promtool(['check', 'rules', join(FOLDER, 'prometheus', 'rules.yml')])
  t.is(rules.status, 0, rules.output)
  // Its token and its nodes exist only among the containers.
  const config = promtool(['check', 'config', '--syntax-only', join(FOLDER, 'prometheus', 'prometheus.yml')])
  t.is(config.status, 0, config.output)
})

test('each alert fires when it should and not before', t => {
  const { status, output } = promtool(['test', 'rules', join(FOLDER, 'prometheus', 'rules.test.yml')])
  t.is(status, 0, output)
})

test('every metric that a rule or the dashboard asks for is one that a node has', async t => {
  const directory = makeDirectory()
  const node = await up(['--name', 'gw-1', '--data', join(directory, '1')])
  const text = await (await fetch(`http://${node.api}/metrics`)).text()
  await cleanUp([node], directory)
  const checked = promtool(['check', 'metrics'], text)
  t.is(checked.status, 0, checked.output)
  const known = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name))
  const rules = readFileSync(join(FOLDER, 'prometheus', 'rules.yml'), 'utf8')
  const dashboard = JSON.parse(readFileSync(join(FOLDER, 'grafana', 'dashboards', 'shoal.json'), 'utf8'))
  const asked = new Set<string>()
  const exprs: string[] = dashboard.panels.flatMap((panel: { targets: { expr: string }[] }) =>
    panel.targets.map(({ expr }) => expr),
  )
  for (const source of [...exprs, ...rules.split('\n').filter(line => line.includes('expr:'))]) {
    for (const [name] of source.matchAll(/shoal_[a-z_]+/g)) asked.add(name.replace(/_bucket$/, ''))
  }
  t.true(asked.size > 15)
  t.deepEqual(
    [...asked].filter(name => !known.has(name)),
    [],
  )
})
