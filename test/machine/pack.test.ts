// What npm would publish, and the one file for a gateway without a registry: both are
// packed, installed into an empty folder without running any script, and used.

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const COMMAND_MS_MAX = 200_000
const run = promisify(execFile)

const runIn = async (cwd: string, program: string, ...args: string[]): Promise<string> => {
  const { stdout } = await run(program, args, { cwd, timeout: COMMAND_MS_MAX, maxBuffer: 64 * 1024 * 1024 })
  return stdout.trim()
}

const withFolder = async (work: (folder: string) => Promise<void>): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-pack-'))
  try {
    await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const install = async (
  t: ExecutionContext,
  from: string,
  folder: string,
  ...flags: string[]
): Promise<string> => {
  // What `npm pack` prints is also what scripts print; the folder says which file it was.
  await runIn(from, 'npm', 'pack', '--pack-destination', folder)
  const tarball = readdirSync(folder).find(name => name.endsWith('.tgz'))
  if (tarball === undefined) throw new Error('npm pack left no file')
  t.log(`${tarball}: ${Math.round(statSync(join(folder, tarball)).size / 1_000)} KB`)
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  const began = performance.now()
  await runIn(
    folder,
    'npm',
    'install',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    ...flags,
    `./${tarball}`,
  )
  t.log(`installed in ${((performance.now() - began) / 1_000).toFixed(1)} s`)
  return join(folder, 'node_modules', '.bin', 'shoal')
}

/** Starts a node, waits until it is ready, and has it leave. */
const startsAndLeaves = async (t: ExecutionContext, command: string, folder: string): Promise<void> => {
  const words = ['up', '--json', '--no-mdns', '--data', join(folder, 'data'), '--api', '127.0.0.1:0']
  const began = performance.now()
  const child = spawn(command, [...words, '--listen', '/ip4/127.0.0.1/tcp/0'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  try {
    const [line] = await once(createInterface(child.stdout), 'line')
    t.log(`ready after ${Math.round(performance.now() - began)} ms`)
    const { api } = JSON.parse(line)
    t.is((await fetch(`http://${api}/readyz`)).status, 200)
    const page = await fetch(`http://${api}/`)
    t.regex(await page.text(), /<script/, 'the dashboard came along')
  } finally {
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    t.deepEqual(await ended, [0, null])
  }
}

test.serial('the package installs into an empty folder without scripts, and runs', async t => {
  t.timeout(280_000)
  await withFolder(async folder => {
    const command = await install(t, ROOT, folder)
    t.is(await runIn(folder, 'npx', '--no-install', 'shoal', '--version'), '0.1.0')
    await startsAndLeaves(t, command, folder)
    const library = "import('shoal').then(each => console.log(typeof each.createNode))"
    t.is(await runIn(folder, process.execPath, '--input-type=module', '-e', library), 'function')
  })
})

test.serial('the bundle is one file to carry: it installs without a registry, and runs', async t => {
  t.timeout(280_000)
  await runIn(ROOT, process.execPath, join('.workshop', 'bundle.mjs'))
  const bundle = join(ROOT, 'dist', 'bundle')
  t.true(statSync(join(bundle, 'shoal.mjs')).size < 1_600_000)
  await withFolder(async folder => {
    const command = await install(t, bundle, folder, '--offline')
    t.is(await runIn(folder, 'npx', '--no-install', 'shoal', '--version'), '0.1.0')
    await startsAndLeaves(t, command, folder)
    // The simulator and the worker are files beside the command.
    t.regex(await runIn(folder, command, 'simulate', '--nodes', '5', '--seconds', '5', '--seed', '1'), /seed/)
  })
})

test.serial("the Pi's script says what it does, does it, and keeps what is there", async t => {
  t.timeout(120_000)
  await runIn(ROOT, process.execPath, join('.workshop', 'bundle.mjs'))
  await withFolder(async folder => {
    const script = join(ROOT, 'dist', 'bundle', 'install.sh')
    const install = (...words: string[]) =>
      run('sh', [script, ...words], { env: { ...process.env, DESTDIR: folder } })
    const wrong = (...words: string[]) =>
      install(...words).then(
        () => 'accepted',
        error => `${error.code}: ${error.stderr}`,
      )
    t.regex(await wrong(), /^2: install: which mesh\?/)
    t.regex(await wrong('--key', '/nowhere'), /^1: install: \/nowhere cannot be read/)
    t.regex(await wrong('--new-key', '--join', 'a"b'), /^2: install: --join is "a"b"/)
    await install('--new-key', '--explain')
    t.deepEqual(readdirSync(folder), [])

    await install('--new-key', '--join', 'pi-1.local')
    const key = join(folder, 'etc', 'shoal', 'mesh.key')
    t.is(statSync(key).mode & 0o777, 0o600)
    const before = readFileSync(key, 'utf8')
    const settings = join(folder, 'etc', 'shoal', 'shoal.toml')
    t.regex(readFileSync(settings, 'utf8'), /^join = \["pi-1\.local"\]$/m)
    const shown = await runIn(
      folder,
      process.execPath,
      join(folder, 'opt', 'shoal', 'shoal.mjs'),
      'config',
      '--config',
      settings,
    )
    t.regex(shown, /pi-1\.local/)
    t.true(statSync(join(folder, 'etc', 'systemd', 'system', 'shoal.service')).isFile())

    t.regex(await wrong('--new-key'), /this node has a mesh/)
    await install('--key', key)
    t.is(readFileSync(key, 'utf8'), before)
  })
})
