// The demo's processes: nodes as `shoal up`, the controller, and the warden that ends
// them all. It starts, kills, freezes, cuts and revives; what the mesh makes of that is
// seen elsewhere. Every child also holds a pipe to this process and ends with it.

import { type ChildProcess, fork, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { newMeshKey } from '../adapters/identity/mesh-key.js'
import { ShoalError } from '../core/errors.js'
import { makeFolder } from './folder.js'
import { beganAt, signalProcess } from './processes.js'

const READY_MS = 30_000
const OBEY_MS = 5_000

const fileBeside = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

export type Fate = 'up' | 'killed' | 'frozen' | 'cut'

export interface DemoNode {
  readonly name: string
  readonly index: number
  id: string
  api: string
  addrs: readonly string[]
  fate: Fate
  child: ChildProcess | null
  began: string
}

export interface Fleet {
  readonly nodes: readonly DemoNode[]
  /** Opens every node's interface. */
  readonly token: string
  readonly plcPort: number
  kill(node: DemoNode): void
  freeze(node: DemoNode): void
  cut(node: DemoNode): Promise<void>
  /** Undoes what was done to it; resolves when it runs again. */
  revive(node: DemoNode): Promise<void>
  /** Ends everything; resolves when nothing is left. */
  close(): Promise<void>
  /** A node ended that nobody killed. */
  onLost(listener: (node: DemoNode) => void): void
}

export const startFleet = async (count: number): Promise<Fleet> => {
  const folder = makeFolder()
  const warden = startWarden(folder)
  const token = randomBytes(32).toString('base64url')
  const keyFile = join(folder, 'mesh.key')
  writeFileSync(keyFile, newMeshKey(), { mode: 0o600 })
  const lost = new Set<(node: DemoNode) => void>()
  let isClosing = false

  const register = (child: ChildProcess): string => {
    const began = child.pid === undefined ? '' : (beganAt(child.pid) ?? '')
    if (child.pid !== undefined) warden.stdin?.write(`${child.pid} ${began}\n`)
    return began
  }

  const nodes: DemoNode[] = Array.from({ length: count }, (_, i) => ({
    name: `gw-${i + 1}`,
    index: i,
    id: '',
    api: '',
    addrs: [],
    fate: 'killed',
    child: null,
    began: '',
  }))

  const start = async (node: DemoNode): Promise<void> => {
    const data = join(folder, node.name)
    mkdirSync(data, { recursive: true, mode: 0o700 })
    writeFileSync(join(data, 'api.token'), `${token}\n`, { mode: 0o600 })
    const others = nodes.filter(other => other !== node).flatMap(({ addrs }) => addrs)
    const log = openSync(join(folder, `${node.name}.log`), 'a')
    const child = fork(
      fileBeside('../cli.js'),
      [
        'up',
        '--json',
        ...['--name', node.name],
        ...['--data', data],
        ...['--mesh-key', keyFile],
        // A node that comes back is found where it was.
        ...['--listen', node.addrs[0] ?? '/ip4/127.0.0.1/tcp/0'],
        ...['--api', node.api === '' ? '127.0.0.1:0' : node.api],
        ...['--label', `zone=hall-${1 + (node.index % 2)}`],
        ...['--allow', 'module,exec'],
        ...['--modules', fileBeside('./tasks')],
        ...['--log-level', 'warn'],
        '--no-mdns',
        ...(others.length === 0 ? [] : ['--join', ...others]),
      ],
      { stdio: ['ignore', 'pipe', log, 'ipc'], detached: true, env: childEnvironment(), execArgv: [] },
    )
    closeSync(log)
    node.child = child
    node.began = register(child)
    child.once('exit', () => {
      if (node.child !== child) return
      node.child = null
      const wasWanted = node.fate === 'killed'
      node.fate = 'killed'
      if (!wasWanted && !isClosing) for (const tell of lost) tell(node)
    })
    node.fate = 'up'
    const line = await firstLine(child, () => tail(join(folder, `${node.name}.log`)))
    const { id, api, addrs } = JSON.parse(line) as { id: string; api: string; addrs: string[] }
    Object.assign(node, { id, api, addrs })
  }

  const close = async (): Promise<void> => {
    isClosing = true
    // The warden ends everything in the right order, and removes the folder.
    const gone = new Promise<void>(resolve => {
      if (warden.exitCode !== null || warden.signalCode !== null) resolve()
      warden.once('exit', () => resolve())
    })
    warden.stdin?.end()
    await gone
    rmSync(folder, { recursive: true, force: true })
  }

  let plc: ChildProcess | null = null
  try {
    plc = fork(fileBeside('./plc.js'), [], { detached: true, env: childEnvironment(), execArgv: [] })
    register(plc)
    const port = portOf(plc)
    const [first, ...others] = nodes as [DemoNode, ...DemoNode[]]
    await start(first)
    await Promise.all(others.map(start))
    return {
      nodes,
      token,
      plcPort: await port,
      kill(node) {
        const pid = node.child?.pid
        node.fate = 'killed'
        if (pid !== undefined) signalProcess(pid, node.began, 'SIGKILL')
      },
      freeze(node) {
        const pid = node.child?.pid
        if (pid !== undefined && signalProcess(pid, node.began, 'SIGSTOP')) node.fate = 'frozen'
      },
      async cut(node) {
        await order(node, true)
        node.fate = 'cut'
      },
      async revive(node) {
        const pid = node.child?.pid
        if (node.fate === 'frozen' && pid !== undefined) signalProcess(pid, node.began, 'SIGCONT')
        if (node.fate === 'cut') await order(node, false)
        if (node.fate === 'killed') await ended(node.child).then(() => start(node))
        node.fate = 'up'
      },
      close,
      onLost: listener => void lost.add(listener),
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** The warden is made first: from then on nothing can be left behind. */
const startWarden = (folder: string): ChildProcess => {
  const warden = spawn(process.execPath, [fileBeside('./warden-main.js'), folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    env: childEnvironment(),
  })
  warden.stdin?.on('error', () => {
    // It was killed; the children still end by their own pipes.
  })
  return warden
}

const childEnvironment = (): NodeJS.ProcessEnv => {
  const environment: NodeJS.ProcessEnv = { SHOAL_DEMO: '1' }
  for (const name of ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR']) {
    const value = process.env[name]
    if (value !== undefined) environment[name] = value
  }
  return environment
}

const firstLine = (child: ChildProcess, logged: () => string): Promise<string> =>
  new Promise((resolve, reject) => {
    const fail = (why: string): void =>
      reject(new ShoalError('DEMO_FAILED', `a node of the demo ${why}: ${logged() || 'it said nothing'}`))
    const timer = setTimeout(() => fail(`was not ready in ${READY_MS / 1_000} s`), READY_MS)
    const stdout = child.stdout
    if (stdout !== null) {
      createInterface({ input: stdout }).once('line', line => {
        clearTimeout(timer)
        resolve(line)
      })
    }
    child.once('error', error => fail(`could not be started (${error.message})`))
    child.once('exit', () => {
      clearTimeout(timer)
      fail('ended before it was ready')
    })
  })

const portOf = (plc: ChildProcess): Promise<number> =>
  new Promise((resolve, reject) => {
    plc.once('message', (message: { port: number }) => resolve(message.port))
    plc.once('exit', () => reject(new ShoalError('DEMO_FAILED', 'the virtual controller of the demo ended')))
  })

const order = (node: DemoNode, cut: boolean): Promise<void> =>
  new Promise((resolve, reject) => {
    const { child } = node
    if (child === null || !child.connected) {
      reject(new ShoalError('DEMO_FAILED', `${node.name} is not there`))
      return
    }
    const timer = setTimeout(() => {
      child.off('message', onMessage)
      reject(new ShoalError('DEMO_FAILED', `${node.name} does not answer the demo`))
    }, OBEY_MS)
    const onMessage = (message: { cut?: unknown }): void => {
      if (message.cut !== cut) return
      clearTimeout(timer)
      child.off('message', onMessage)
      resolve()
    }
    child.on('message', onMessage)
    child.send({ cut })
  })

const ended = (child: ChildProcess | null): Promise<void> =>
  new Promise(resolve => {
    if (child === null || child.exitCode !== null || child.signalCode !== null) resolve()
    else child.once('exit', () => resolve())
  })

const tail = (file: string): string => {
  try {
    return readFileSync(file, 'utf8').trim().split('\n').slice(-3).join(' ')
  } catch {
    return ''
  }
}
