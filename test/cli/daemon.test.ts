// `shoal up` as its operators and systemd meet it.

import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import test from 'ava'
import { cleanUp, makeDirectory, type RunningShoal, shoal, up } from './shoal.js'

const setUp = (t: { teardown(work: () => Promise<void>): void }) => {
  const directory = makeDirectory()
  const nodes: RunningShoal[] = []
  t.teardown(() => cleanUp(nodes, directory))
  return {
    directory,
    start: async (args: readonly string[], env?: Record<string, string>): Promise<RunningShoal> => {
      const node = await up(args, env)
      nodes.push(node)
      return node
    },
  }
}

test.serial('the ready line names id, name, final addresses and the interface, which answers', async t => {
  const { directory, start } = setUp(t)
  const node = await start(['--name', 'gw-1', '--data', join(directory, 'data')])
  t.regex(node.id, /^12D3KooW/)
  t.is(node.name, 'gw-1')
  t.regex(node.addrs[0] ?? '', /^\/ip4\/127\.0\.0\.1\/tcp\/[1-9]\d*$/)
  t.is((await shoal(['members'], { api: node.api })).code, 0)
})

test.serial('SIGTERM and SIGINT leave and end with 0', async t => {
  const { directory, start } = setUp(t)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const node = await start(['--data', join(directory, signal)])
    t.is(await node.end(signal), 0, signal)
  }
})

test.serial('without a mesh key the ready line says that it is a playground', async t => {
  const directory = makeDirectory()
  t.teardown(() => cleanUp([], directory))
  const args = [
    'up',
    '--no-mdns',
    '--data',
    directory,
    '--listen',
    '/ip4/127.0.0.1/tcp/0',
    '--api',
    '127.0.0.1:0',
  ]
  const { code, out } = await shoal(args, { until: /\n/ })
  t.is(code, 0)
  t.is(out.trim().split('\n').length, 1)
  t.regex(out, /playground without a mesh key: loopback only/)
  if (process.getuid?.() === 0) t.regex(out, /runs as root/)
})

test.serial('with a mesh key a change needs the token, which is found, named, or wrong', async t => {
  const { directory, start } = setUp(t)
  const key = join(directory, 'mesh.key')
  const data = join(directory, 'data')
  await shoal(['key', key])
  const { api } = await start(['--data', data, '--mesh-key', key])
  const tokenFile = join(data, 'api.token')
  t.is(statSync(tokenFile).mode & 0o777, 0o600)
  t.is((await shoal(['members'], { api })).code, 0)
  const none = await shoal(['state', 'set', 'a', 'b', '1'], { api })
  t.is(none.code, 1)
  t.regex(none.err, /wants a token and none was found; name its file with --token-file/)
  t.is((await shoal(['state', 'set', 'a', 'b', '1', '--token-file', tokenFile], { api })).code, 0)
  const token = readFileSync(tokenFile, 'utf8').trim()
  t.is((await shoal(['state', 'set', 'a', 'b', '1'], { api, env: { SHOAL_TOKEN: token } })).code, 0)
  t.is((await shoal(['state', 'set', 'a', 'b', '1'], { api, env: { SHOAL_DATA: data } })).code, 0)
  const wrong = await shoal(['state', 'set', 'a', 'b', '1'], { api, env: { SHOAL_TOKEN: 'x'.repeat(43) } })
  t.is(wrong.code, 1)
  t.regex(wrong.err, /does not accept the token from SHOAL_TOKEN/)
})

test.serial('a port that is taken, and data that another node uses, are named and end with 1', async t => {
  const { directory, start } = setUp(t)
  const data = join(directory, 'data')
  const node = await start(['--data', data])
  const listen = ['--listen', '/ip4/127.0.0.1/tcp/0', '--no-mdns']
  const api = await shoal(['up', '--data', join(directory, 'other'), ...listen, '--api', node.api])
  t.is(api.code, 1)
  t.is(api.err, `shoal: api is ${node.api}; something listens there already; choose another with --api\n`)
  const mesh = await shoal([
    'up',
    '--data',
    join(directory, 'third'),
    '--listen',
    node.addrs[0] ?? '',
    '--api',
    '127.0.0.1:0',
  ])
  t.is(mesh.code, 1)
  t.regex(mesh.err, /cannot listen on/)
  const same = await shoal(['up', '--data', data, ...listen, '--api', '127.0.0.1:0'])
  t.is(same.code, 1)
  t.true(same.err.includes(data))
})

test.serial(
  'SIGHUP changes labels and capacity, names what waits for a restart, and keeps all at a mistake',
  async t => {
    const { directory, start } = setUp(t)
    const file = join(directory, 'shoal.toml')
    mkdirSync(join(directory, 'data'))
    writeFileSync(file, 'capacity = 3\n[label]\nzone = "a"\n')
    const node = await start(['--config', file, '--data', join(directory, 'data')])
    const logged = (text: string): Promise<void> =>
      new Promise(resolve => {
        const look = (): void => {
          if (!node.log().includes(text)) return
          node.child.stderr?.off('data', look)
          resolve()
        }
        node.child.stderr?.on('data', look)
        look()
      })
    const info = async () => JSON.parse((await shoal(['info', '--json'], { api: node.api })).out)
    t.deepEqual((await info()).labels, { zone: 'a' })
    writeFileSync(file, 'capacity = 7\nname = "other"\n[label]\nzone = "b"\n')
    node.child.kill('SIGHUP')
    await logged('"reloaded"')
    const { labels, capacity, name } = await info()
    t.deepEqual({ labels, capacity }, { labels: { zone: 'b' }, capacity: 7 })
    t.not(name, 'other')
    t.regex(node.log(), /these settings change at the next start/)
    writeFileSync(file, 'capacity = -1\n')
    node.child.kill('SIGHUP')
    await logged('not reloaded')
    t.is((await info()).capacity, 7)
  },
)

test.serial('readiness, reload and stopping are told to systemd', async t => {
  const { directory, start } = setUp(t)
  // What stands for systemd-notify only writes down what it was told.
  const bin = join(directory, 'bin')
  const heard = join(directory, 'heard')
  mkdirSync(bin)
  writeFileSync(join(bin, 'systemd-notify'), `#!/bin/sh\necho "$@" >> '${heard}'\n`, { mode: 0o755 })
  writeFileSync(heard, '')
  const node = await start(['--data', join(directory, 'data')], {
    NOTIFY_SOCKET: join(directory, 'socket'),
    WATCHDOG_USEC: '300000',
    PATH: `${bin}:${process.env.PATH}`,
  })
  const { watch } = await import('node:fs')
  const says = (word: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        watcher.close()
        reject(new Error(`${word} was not said: ${readFileSync(heard, 'utf8')}`))
      }, 20_000)
      const look = (): void => {
        if (!readFileSync(heard, 'utf8').includes(word)) return
        clearTimeout(timer)
        watcher.close()
        resolve()
      }
      const watcher = watch(heard, look)
      look()
    })
  await says('READY=1')
  await says('WATCHDOG=1')
  node.child.kill('SIGHUP')
  await says('MONOTONIC_USEC=')
  t.is(await node.end('SIGTERM'), 0)
  await says('STOPPING=1')
})

test.serial(
  'a port of the mesh that does not answer is tried for ever and keeps nobody from being ready',
  async t => {
    const { directory, start } = setUp(t)
    const silent = createServer(() => {})
    await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
    t.teardown(async () => void silent.close())
    const { port } = silent.address() as { port: number }
    const node = await start([
      '--data',
      join(directory, 'data'),
      '--join',
      `127.0.0.1:${port}`,
      'nowhere.invalid',
    ])
    t.is(JSON.parse((await shoal(['members', '--json'], { api: node.api })).out).length, 1)
  },
)

test.serial('a signal that comes while its modules load ends it cleanly, or changes nothing', async t => {
  const ended = await shoal(['up', '--api', '127.0.0.1:0', '--no-mdns', '--listen', '/ip4/127.0.0.1/tcp/0'], {
    env: { SHOAL_DATA: join(makeDirectory(), 'data'), NODE_OPTIONS: `--import=${SIGNALLING}` },
  })
  t.is(ended.code, 0, ended.err)
})

/** Sends itself both signals as soon as the command listens for them; fails where the mesh's modules are loaded by then. */
const SIGNALLING = `data:text/javascript,${encodeURIComponent(`
  const on = process.on
  process.on = function (name, listener) {
    const result = on.call(this, name, listener)
    if (name === 'SIGHUP') { process.on = on; if (process.moduleLoadList.includes('NativeModule dns/promises')) process.exit(9); process.kill(process.pid, 'SIGHUP'); setTimeout(() => process.kill(process.pid, 'SIGTERM'), 20) }
    return result
  }
`)}`

test.serial('a node that finds nobody of those to join says so once, and goes on', async t => {
  const directory = makeDirectory()
  const node = await up(['--data', directory, '--join', '127.0.0.1:1'])
  t.teardown(() => cleanUp([node], directory))
  const said = /"join":\["127\.0\.0\.1:1"\],"msg":"none of the members to join answers yet/
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`it said only: ${node.log()}`)), 30_000)
    node.child.stderr?.on('data', () => {
      if (!said.test(node.log())) return
      clearTimeout(timer)
      resolve()
    })
  })
  t.is((await shoal(['members'], { api: node.api })).code, 0)
})
