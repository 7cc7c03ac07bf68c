// The image and the compose file as they stand, on an engine of the test's own: eleven
// containers with the limits of a small box, and the chaos script as the one who does harm.

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import anyTest, { type ExecutionContext, type TestFn } from 'ava'
import { type Engine, ROOT, startEngine } from './docker-engine.js'

const test = anyTest as TestFn<{ engine: Engine }>
type T = ExecutionContext<{ engine: Engine }>

const NODES = 10
const AGREE_MS_MAX = 150_000
const TASKS = ['a', 'b', 'c', 'd', 'e', 'f']
const PROJECT = 'shoaltest'
const COMPOSE = ['--project-name', PROJECT, '--file', join(ROOT, 'docker', 'compose.yaml')]

/** Asks all members at once for what they hold of each other; runs where the containers' network is. */
const ASK_ALL = `
const [token, path, ...hosts] = process.argv.slice(1)
const headers = { Authorization: 'Bearer ' + token }
const ask = host => fetch('http://' + host + ':4780' + path, { headers, signal: AbortSignal.timeout(10000) }).then(each => each.json(), () => null)
console.log(JSON.stringify(await Promise.all(hosts.map(ask))))
`

const APPLY = `
const [token, host, ...ids] = process.argv.slice(1)
for (const id of ids) {
  const body = JSON.stringify({ id, run: { exec: ['sleep', '100000'] }, stopGrace: '1s' })
  const headers = { Authorization: 'Bearer ' + token, 'Content-Type': 'application/json' }
  const answer = await fetch('http://' + host + ':4780/v1/tasks/' + id, { method: 'PUT', headers, body })
  if (!answer.ok) throw new Error(id + ': ' + answer.status + ' ' + await answer.text())
}
`

test.before(async t => {
  t.timeout(240_000)
  execFileSync(process.execPath, [join(ROOT, '.workshop', 'bundle.mjs')], { cwd: ROOT })
  t.context.engine = await startEngine()
  await t.context.engine.build('shoal:test')
})

test.after.always(async t => {
  t.timeout(60_000)
  await t.context.engine?.end()
})

test.serial('the image is small, needs no root, and says when it is ready', async t => {
  t.timeout(120_000)
  const { engine } = t.context
  const [image] = JSON.parse(await engine.docker('image', 'inspect', 'shoal:test'))
  const [base] = JSON.parse(await engine.docker('image', 'inspect', 'shoal-base:test'))
  const added = image.Size - base.Size
  t.log(`image ${megabytes(image.Size)}, of which ${megabytes(added)} are not its base`)
  t.true(added < 12_000_000)
  t.is(image.Config.User, '10001:10001')
  t.true(image.Config.Healthcheck.Test.includes('/opt/shoal/image/healthcheck.mjs'))
  t.is(await engine.docker('run', '--rm', '--network', 'none', 'shoal:test', '--version'), '0.1.0')
  const began = performance.now()
  const id = await engine.docker(
    'run',
    '--detach',
    '--network',
    'none',
    '--read-only',
    '--cap-drop',
    'ALL',
    'shoal:test',
    'up',
    '--no-mdns',
  )
  await until(t, 'a playground in a container', async () => /ready/.test(await engine.docker('logs', id)))
  t.log(`ready ${Math.round(performance.now() - began)} ms after docker run`)
  await engine.docker('stop', '--time', '10', id)
  const [stopped] = JSON.parse(await engine.docker('inspect', id))
  t.is(stopped.State.ExitCode, 0, 'SIGTERM reached the node and it left')
})

test.serial('eleven containers agree on who is there, each with a volume of its own', async t => {
  t.timeout(240_000)
  const { engine } = t.context
  await engine.compose(
    ...COMPOSE,
    'up',
    '--detach',
    '--no-build',
    '--scale',
    `node=${NODES}`,
    'gateway',
    'node',
  )
  await untilAllAgree(t)
  const volumes = new Set<string>()
  for (const each of await containers(engine)) {
    const { HostConfig, Mounts } = each
    t.true(HostConfig.ReadonlyRootfs)
    t.deepEqual(HostConfig.CapDrop, ['ALL'])
    t.deepEqual(HostConfig.SecurityOpt, ['no-new-privileges:true'])
    t.is(HostConfig.Memory, 128 * 1024 * 1024)
    t.is(HostConfig.NanoCpus, 250_000_000)
    t.true(HostConfig.PidsLimit > 0)
    volumes.add(Mounts.find(mount => mount.Destination === '/var/lib/shoal')?.Name ?? '')
  }
  t.is(volumes.size, NODES + 1)
  const members = await engine.docker('exec', await gateway(engine), 'shoal', 'members')
  t.regex(members, new RegExp(`${NODES + 1} members, ${NODES + 1} alive`))
})

test.serial(
  'a kill, a cut and a frozen container are noticed, their tasks move, and all come back',
  async t => {
    t.timeout(280_000)
    const { engine } = t.context
    const host = addressOf((await containers(engine))[0])
    await engine.inside([
      process.execPath,
      '--input-type=module',
      '-e',
      APPLY,
      await token(engine),
      host,
      ...TASKS,
    ])
    await untilAllRun(t)
    const faults = ['kill', 'disconnect', 'pause']
    const chaos = [
      process.execPath,
      join(ROOT, 'docker', 'chaos.mjs'),
      '--project',
      PROJECT,
      '--json',
      ...faults,
    ]
    const told = (await engine.inside(chaos)).split('\n').map(line => JSON.parse(line))
    for (const each of told) t.log(JSON.stringify(each))
    t.deepEqual(
      told.map(({ fault, failed }) => ({ fault, failed })),
      faults.map(fault => ({ fault, failed: null })),
    )
    await untilAllAgree(t)
    await untilAllRun(t)
  },
)

interface Container {
  readonly Id: string
  readonly HostConfig: Readonly<Record<string, unknown>> & { readonly PidsLimit: number }
  readonly Mounts: readonly { readonly Destination: string; readonly Name?: string }[]
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>> }
}

const containers = async (engine: Engine): Promise<readonly Container[]> => {
  const filter = `label=com.docker.compose.project=${PROJECT}`
  const ids = (await engine.docker('ps', '--quiet', '--filter', filter)).split('\n').filter(Boolean)
  return JSON.parse(await engine.docker('inspect', ...ids))
}

const addressOf = (container: Container | undefined): string =>
  Object.values(container?.NetworkSettings.Networks ?? {})[0]?.IPAddress ?? ''

const gateway = (engine: Engine): Promise<string> =>
  engine.docker('ps', '--quiet', '--filter', 'label=com.docker.compose.service=gateway')

const token = async (engine: Engine): Promise<string> =>
  engine.docker(
    'exec',
    await gateway(engine),
    'node',
    '-p',
    "fs.readFileSync('/run/shoal/api.token', 'utf8').trim()",
  )

const askAll = async (engine: Engine, path: string): Promise<readonly unknown[]> => {
  const hosts = (await containers(engine)).map(addressOf)
  return JSON.parse(
    await engine.inside([
      process.execPath,
      '--input-type=module',
      '-e',
      ASK_ALL,
      await token(engine),
      path,
      ...hosts,
    ]),
  )
}

const untilAllAgree = (t: T): Promise<void> =>
  until(t, `${NODES + 1} nodes hold ${NODES + 1} alive`, async () => {
    const views = (await askAll(t.context.engine, '/v1/members')) as readonly (
      | readonly { verdict: string }[]
      | null
    )[]
    const counts = views.map(view => view?.filter(({ verdict }) => verdict === 'alive').length)
    return counts.length === NODES + 1 && counts.every(count => count === NODES + 1)
  })

/** As every node sees it, each task runs once. */
const untilAllRun = (t: T): Promise<void> =>
  until(t, 'every task runs once', async () => {
    type Task = { copies: readonly { phase: string }[] }
    const views = (await askAll(t.context.engine, '/v1/tasks')) as readonly (readonly Task[] | null)[]
    const isRunning = ({ copies }: Task) => copies.length === 1 && copies[0]?.phase === 'running'
    return views.every(view => view?.length === TASKS.length && view.every(isRunning))
  })

/** No claim about speed: the bound is where a test that hangs would otherwise wait for ever. */
const until = async (t: T, what: string, isSo: () => Promise<boolean>): Promise<void> => {
  const began = Date.now()
  while (!(await isSo())) {
    if (Date.now() - began > AGREE_MS_MAX) throw new Error(`not within ${AGREE_MS_MAX / 1_000} s: ${what}`)
    await sleep(500)
  }
  t.log(`${what}: after ${((Date.now() - began) / 1_000).toFixed(1)} s`)
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`
