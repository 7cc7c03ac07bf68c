// `shoal up` as its operators and systemd meet it.

import { mkdirSync, readFileSync, statSync, watch, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import anyTest, { type TestFn } from 'ava'
import { inProcess } from './in-process.js'
import { cleanUp, makeDirectory, type RunningShoal, shoal, up } from './shoal.js'

/** One node for what can be asked of the same one: each costs a second of a core. */
interface Service {
  directory: string
  data: string
  file: string
  /** What it told systemd. */
  heard: string
  node: RunningShoal
}

const test = anyTest as TestFn<Service>

test.before(async t => {
  const directory = makeDirectory()
  const bin = join(directory, 'bin')
  const data = join(directory, 'data')
  const file = join(directory, 'shoal.toml')
  const heard = join(directory, 'heard')
  const key = join(directory, 'mesh.key')
  Object.assign(t.context, { directory, data, file, heard })
  // What stands for systemd-notify only writes down what it was told.
  mkdirSync(bin)
  writeFileSync(join(bin, 'systemd-notify'), `#!/bin/sh\necho "$@" >> '${heard}'\n`, { mode: 0o755 })
  writeFileSync(heard, '')
  writeFileSync(file, 'name = "gw-1"\ncapacity = 3\n[label]\nzone = "a"\n')
  await inProcess(['key', key])
  t.context.node = await up(['--config', file, '--data', data, '--mesh-key', key], {
    NOTIFY_SOCKET: join(directory, 'socket'),
    WATCHDOG_USEC: '300000',
    PATH: `${bin}:${process.env.PATH}`,
  })
})

test.after.always(async t => {
  const { node, directory } = t.context
  await cleanUp(node === undefined ? [] : [node], directory)
})

test.serial('the ready line names id, name, final addresses and the interface, which answers', async t => {
  const { node } = t.context
  t.regex(node.id, /^12D3KooW/)
  t.is(node.name, 'gw-1')
  t.regex(node.addrs[0] ?? '', /^\/ip4\/127\.0\.0\.1\/tcp\/[1-9]\d*$/)
  t.is((await shoal(['members'], { api: node.api })).code, 0)
})

test.serial('with a mesh key a change needs the token, which is found, named, or wrong', async t => {
  const { data } = t.context
  const { api } = t.context.node
  const tokenFile = join(data, 'api.token')
  t.is(statSync(tokenFile).mode & 0o777, 0o600)
  t.is((await inProcess(['members'], { api })).code, 0)
  const set = ['state', 'set', 'a', 'b', '1']
  const none = await inProcess(set, { api })
  t.is(none.code, 1)
  t.regex(none.err, /wants a token and none was found; name its file with --token-file/)
  t.is((await inProcess([...set, '--token-file', tokenFile], { api })).code, 0)
  const token = readFileSync(tokenFile, 'utf8').trim()
  t.is((await inProcess(set, { api, env: { SHOAL_TOKEN: token } })).code, 0)
  t.is((await inProcess(set, { api, env: { SHOAL_DATA: data } })).code, 0)
  const wrong = await inProcess(set, { api, env: { SHOAL_TOKEN: 'x'.repeat(43) } })
  t.is(wrong.code, 1)
  t.regex(wrong.err, /does not accept the token from SHOAL_TOKEN/)
})

test.serial('a port that is taken, and data that another node uses, are named and end with 1', async t => {
  const { directory, data, node } = t.context
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
    const { file, node } = t.context
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
    const info = async () => JSON.parse((await inProcess(['info', '--json'], { api: node.api })).out)
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

// Last for this node: it ends.
test.serial('readiness, reload and stopping are told to systemd, and SIGTERM ends with 0', async t => {
  const { heard, node } = t.context
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
  await says('MONOTONIC_USEC=')
  t.is(await node.end('SIGTERM'), 0)
  await says('STOPPING=1')
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

test.serial(
  'who is to be joined and does not answer is tried for ever, keeps nobody from being ready, and is said once',
  async t => {
    const silent = createServer(() => {})
    await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
    t.teardown(async () => void silent.close())
    const { port } = silent.address() as { port: number }
    const directory = makeDirectory()
    const seeds = [`127.0.0.1:${port}`, 'nowhere.invalid', '127.0.0.1:1']
    const node = await up(['--data', directory, '--join', ...seeds])
    t.teardown(() => cleanUp([node], directory))
    t.is(JSON.parse((await inProcess(['members', '--json'], { api: node.api })).out).length, 1)
    const said = () => node.log().split('none of the members to join answers yet').length - 1
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`it said only: ${node.log()}`)), 30_000)
      const look = (): void => {
        if (said() === 0) return
        clearTimeout(timer)
        resolve()
      }
      node.child.stderr?.on('data', look)
      look()
    })
    t.true(seeds.every(seed => node.log().includes(JSON.stringify(seed))))
    t.is((await inProcess(['members'], { api: node.api })).code, 0)
    t.is(await node.end('SIGINT'), 0)
    t.is(said(), 1)
  },
)

test.serial('a signal that comes while its modules load ends it cleanly, or changes nothing', async t => {
  const ended = await shoal(['up', '--api', '127.0.0.1:0', '--no-mdns', '--listen', '/ip4/127.0.0.1/tcp/0'], {
    env: { SHOAL_DATA: join(makeDirectory(), 'data'), NODE_OPTIONS: `--import=${SIGNALLING}` },
    inModules: true,
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
