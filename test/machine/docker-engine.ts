// A Docker engine of the test's own, so that no engine of the machine is ever touched:
// dockerd with its own data, socket and cgroup, in network, mount and process namespaces of
// its own. Its bridges and its firewall are inside those, and when its first process ends,
// for whatever reason, the kernel ends everything that it ever started.
//
// No registry is asked: the base image is made of the `node` that runs the test, the
// libraries it names, and a shell. What is missing is said by name; nothing is skipped.

import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { requireTool } from './namespaces.js'

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
export const BASE_IMAGE = 'shoal-base:test'

const READY_MS_MAX = 60_000
const COMMAND_MS_MAX = 240_000
/** What the base needs besides node, for tasks that are programs and for the command's first line. */
const PROGRAMS = ['/bin/sh', '/bin/grep', '/bin/sleep', '/usr/bin/env']
/** A cgroup counts as one process among its siblings: many nodes in one would starve on a busy machine. */
const CPU_SHARES = 16_384

const run = promisify(execFile)

export interface Engine {
  docker(...words: string[]): Promise<string>
  compose(...words: string[]): Promise<string>
  /** Runs a program where the published ports are. */
  inside(command: readonly string[]): Promise<string>
  build(image: string): Promise<void>
  end(): Promise<void>
}

export const startEngine = async (): Promise<Engine> => {
  if (process.getuid?.() !== 0) throw new Error('a Docker engine of its own needs root')
  for (const tool of [
    'dockerd',
    'containerd',
    'runc',
    'docker',
    'iptables',
    'ip',
    'unshare',
    'setpriv',
    'nsenter',
    'tar',
    'ldd',
  ]) {
    requireTool(tool)
  }
  const folder = mkdtempSync(join(tmpdir(), 'shoal-engine-'))
  const cgroup = `shoal-engine-${process.pid}`
  const shares = claimShares(cgroup)
  const socket = `unix://${join(folder, 'docker.sock')}`
  const log = join(folder, 'log')
  const env = {
    PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`,
    HOME: folder,
    DOCKER_HOST: socket,
    DOCKER_BUILDKIT: '0',
    // Creating dozens of containers at once takes more than its minute.
    COMPOSE_HTTP_TIMEOUT: '300',
    SHOAL_IMAGE: 'shoal:test',
    BASE: BASE_IMAGE,
  }
  const dockerd = [
    ['dockerd', '--host', socket, '--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec')],
    ['--pidfile', join(folder, 'pid'), '--bridge', 'none', '--cgroup-parent', `/${cgroup}`],
  ].flat()
  const namespaces = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
  const out = openSync(log, 'w')
  const anchor = spawn(
    'setpriv',
    [
      '--pdeathsig=KILL',
      'unshare',
      ...namespaces,
      'sh',
      '-c',
      'ip link set lo up && exec "$@"',
      'engine',
      ...dockerd,
    ],
    {
      stdio: ['ignore', out, out],
      env,
    },
  )
  const options = { env, cwd: ROOT, timeout: COMMAND_MS_MAX, maxBuffer: 64 * 1024 * 1024 }
  const ask = async (program: string, words: readonly string[]): Promise<string> => {
    try {
      return (await run(program, [...words], options)).stdout.trim()
    } catch (error) {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
      throw new Error(`${program} ${words.join(' ')} failed\n${stdout}${stderr}`.slice(-4_000))
    }
  }
  const end = async (): Promise<void> => {
    if (anchor.exitCode === null && anchor.signalCode === null) {
      const ended = once(anchor, 'exit')
      anchor.kill('SIGKILL')
      await ended
    }
    await removeWhenFree(folder)
    for (const path of shares) removeGroup(path)
  }
  try {
    await untilReady(anchor, log, () => ask('docker', ['info']))
    await importBase(env)
  } catch (error) {
    await end()
    throw error
  }
  const plugin = spawnSync('docker', ['compose', 'version'], { env }).status === 0
  if (!plugin) requireTool('docker-compose')
  return {
    docker: (...words) => ask('docker', words),
    compose: (...words) => (plugin ? ask('docker', ['compose', ...words]) : ask('docker-compose', words)),
    inside: async command => {
      // The engine itself is the one child of `unshare`.
      const [pid] = readFileSync(`/proc/${anchor.pid}/task/${anchor.pid}/children`, 'utf8').trim().split(' ')
      return ask('nsenter', [`--target=${pid}`, '--net', ...command])
    },
    build: async image => {
      await ask('docker', [
        'build',
        '--file',
        'docker/Dockerfile',
        '--build-arg',
        `BASE=${BASE_IMAGE}`,
        '--tag',
        image,
        '.',
      ])
    },
    end,
  }
}

const untilReady = async (anchor: ChildProcess, log: string, ask: () => Promise<unknown>): Promise<void> => {
  for (const endAt = Date.now() + READY_MS_MAX; Date.now() < endAt; await sleep(200)) {
    if (anchor.exitCode !== null) break
    try {
      await ask()
      return
    } catch {
      // Not yet; what it says about it is in its log.
    }
  }
  throw new Error(`the Docker engine did not start:\n${readFileSync(log, 'utf8').slice(-4_000)}`)
}

/** The running node with its libraries, and a shell with a few programs: an image from scratch. */
const importBase = async (env: NodeJS.ProcessEnv): Promise<void> => {
  const node = realpathSync(process.execPath)
  const files = new Set([node, ...PROGRAMS])
  for (const file of [...files]) {
    for (const [library] of spawnSync('ldd', [file], { encoding: 'utf8' }).stdout.matchAll(/\/\S+/g)) {
      if (existsSync(library)) files.add(library)
    }
  }
  const names = [...files].map(file => file.slice(1))
  const rename = `s,^${node.slice(1)}$,usr/local/bin/node,`
  const tar = spawn(
    'tar',
    ['--create', '--dereference', '--directory=/', `--transform=${rename}`, ...names],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  )
  const path = 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
  const load = spawn('docker', ['import', '--change', path, '-', BASE_IMAGE], {
    stdio: [tar.stdout, 'ignore', 'inherit'],
    env,
  })
  const [code] = await once(load, 'exit')
  if (code !== 0) throw new Error('the base image could not be made')
}

/** Gives the engine's containers their share of the processors; returns what to remove again. */
const claimShares = (name: string): readonly string[] => {
  const isUnified = existsSync('/sys/fs/cgroup/cgroup.controllers')
  const group = isUnified ? `/sys/fs/cgroup/${name}` : `/sys/fs/cgroup/cpu/${name}`
  mkdirSync(group, { recursive: true })
  if (isUnified) writeFileSync(join(group, 'cpu.weight'), '1000')
  else writeFileSync(join(group, 'cpu.shares'), `${CPU_SHARES}`)
  if (isUnified) return [group]
  return [
    'cpu',
    'cpuacct',
    'cpuset',
    'memory',
    'pids',
    'blkio',
    'devices',
    'freezer',
    'systemd',
    'net_cls',
    'perf_event',
    'hugetlb',
  ].map(each => `/sys/fs/cgroup/${each}/${name}`)
}

/** An empty group that stays behind harms nobody. */
const removeGroup = (path: string): void => {
  try {
    rmdirSync(path)
  } catch {
    // Not there, or the kernel has not yet let go of its last process.
  }
}

/** The mounts go with the namespace, a moment after its last process. */
const removeWhenFree = async (folder: string): Promise<void> => {
  for (const endAt = Date.now() + 10_000; ; await sleep(100)) {
    try {
      rmSync(folder, { recursive: true, force: true })
      return
    } catch (error) {
      if (Date.now() > endAt) throw error
    }
  }
}
