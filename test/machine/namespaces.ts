// A small network of make-believe hosts on one machine, for tests and measurements:
// each host is a network namespace with one cable to a bridge, and cables can be cut,
// one direction silenced, packets lost at random, and the mesh split in parts.
//
// It needs no root. An anchor process is started under `unshare` with user, network and
// mount namespaces of its own and its own /run; everything lives inside those and is
// gone with it, whatever ends the test. Nothing of the machine's own network changes.
//
// Cuts are silent: a cable that is pulled from the bridge loses what is sent and tells
// nobody, as a dead switch does. Nothing is delayed: not every kernel has netem.

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

export interface Host {
  /** `h1`, `h2`, …; also the name of its namespace. */
  readonly name: string
  readonly index: number
  readonly address: string
  readonly mac: string
}

export interface Output {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Network {
  readonly hosts: readonly Host[]
  /** Adds hosts on the one bridge; each knows the hardware addresses of all others. */
  addHosts(count: number): Promise<readonly Host[]>
  /** Runs a program on a host to its end; a failure is in `code`, not thrown. */
  exec(host: Host, command: readonly string[], limitMs?: number): Promise<Output>
  /** Starts a program on a host; its pid is the program's own, so signals reach it. */
  spawn(host: Host, command: readonly string[], options?: SpawnOptions): ChildProcess
  /** Pulls the host's cable: nothing goes in or out, and nobody is told. */
  cut(...hosts: readonly Host[]): Promise<void>
  /** Splits the network: hosts of one group reach each other and nobody else. */
  split(...groups: readonly (readonly Host[])[]): Promise<void>
  /** Silences one direction: what `from` sends never reaches `to`. */
  dropOneWay(from: Host, to: Host): Promise<void>
  /** Each packet that arrives at a host is lost with this chance, 0 to 100, on top of earlier losses. */
  setLoss(percent: number, hosts?: readonly Host[]): Promise<void>
  /** Every cable back in its place, every rule gone. */
  heal(): Promise<void>
  /** Ends what was started on the hosts, then the hosts. */
  close(): Promise<void>
}

const HOSTS_MAX = 1_000
const GROUPS_MAX = 16
const EXEC_LIMIT_MS = 60_000
const TOOLS = ['unshare', 'nsenter', 'setpriv', 'mount', 'ip', 'iptables']

export const createNetwork = async (): Promise<Network> => {
  for (const tool of TOOLS) requireTool(tool)
  const anchor = await startAnchor()
  const hosts: Host[] = []
  const children = new Set<ChildProcess>()
  /** Hosts with rules of their own; healing the others as well takes a second for fifty. */
  const ruled = new Set<Host>()
  let bridges = 0

  /** A command line that enters the anchor's namespaces, and a host's network if one is given. */
  const enter = (host: Host | null, command: readonly string[]): string[] => [
    'nsenter',
    `--target=${anchor.pid}`,
    '--user',
    '--mount',
    '--net',
    '--preserve-credentials',
    ...(host === null ? [] : ['nsenter', `--net=/run/netns/${host.name}`]),
    // Whatever ends this process, the kernel ends its children.
    'setpriv',
    '--pdeathsig=KILL',
    ...command,
  ]

  const spawnIn = (host: Host | null, command: readonly string[], options: SpawnOptions): ChildProcess => {
    const [program, ...args] = enter(host, command) as [string, ...string[]]
    const child = spawn(program, args, options)
    children.add(child)
    child.once('close', () => children.delete(child))
    return child
  }

  const run = async (
    host: Host | null,
    command: readonly string[],
    input = '',
    limitMs = EXEC_LIMIT_MS,
  ): Promise<Output> => {
    const child = spawnIn(host, command, { stdio: 'pipe', timeout: limitMs, killSignal: 'SIGKILL' })
    const stdout = collect(child.stdout)
    const stderr = collect(child.stderr)
    child.stdin?.on('error', () => {
      // The program ended without reading all of it; its exit code says the rest.
    })
    child.stdin?.end(input)
    const [code] = (await once(child, 'close')) as [number | null]
    return { code, stdout: stdout(), stderr: stderr() }
  }

  /** Many lines for `ip` at once: fifty hosts need thousands, and a process for each takes minutes. */
  const ip = async (host: Host | null, lines: readonly string[]): Promise<void> => {
    if (lines.length === 0) return
    const { code, stderr } = await run(host, ['ip', '-batch', '-'], `${lines.join('\n')}\n`)
    if (code !== 0) throw new Error(`ip failed on ${host?.name ?? 'the bridge'}: ${stderr.trim()}`)
  }

  const iptables = async (host: Host, rule: string): Promise<void> => {
    ruled.add(host)
    const { code, stderr } = await run(host, ['iptables', '--wait', ...rule.split(' ')])
    if (code !== 0) throw new Error(`iptables ${rule} failed on ${host.name}: ${stderr.trim()}`)
  }

  const needBridges = async (count: number): Promise<void> => {
    const lines: string[] = []
    for (; bridges < count; bridges++) {
      // Without snooping a bridge passes multicast to everybody, which mDNS relies on.
      lines.push(`link add b${bridges} type bridge stp_state 0 mcast_snooping 0`, `link set b${bridges} up`)
    }
    await ip(null, lines)
  }

  const addHosts = async (count: number): Promise<readonly Host[]> => {
    if (hosts.length + count > HOSTS_MAX)
      throw new Error(`at most ${HOSTS_MAX} hosts, asked for ${count} more`)
    const before = hosts.slice()
    const added = Array.from({ length: count }, (_, i) => hostAt(before.length + i + 1))
    await ip(
      null,
      added.flatMap(({ name, mac }) => [
        `netns add ${name}`,
        `link add c${name} type veth peer name eth0 address ${mac} netns ${name}`,
        `link set c${name} master b0 up`,
      ]),
    )
    hosts.push(...added)
    await Promise.all([
      ...added.map(host => ip(host, [...interfaceOf(host), ...neighborsOf(host, hosts)])),
      ...before.map(host => ip(host, neighborsOf(host, added))),
    ])
    return added
  }

  const close = async (): Promise<void> => {
    const ends = [...children].map(async child => {
      const end = once(child, 'close')
      child.kill('SIGKILL')
      await end
    })
    await Promise.all(ends)
    const end = once(anchor.process, 'close')
    anchor.process.stdin?.end()
    await end
  }

  await ip(null, ['link set lo up'])
  await needBridges(1)
  return {
    hosts,
    addHosts,
    exec: (host, command, limitMs) => run(host, command, '', limitMs),
    spawn: (host, command, options = {}) => spawnIn(host, command, options),
    cut: (...cutOff) =>
      ip(
        null,
        cutOff.map(({ name }) => `link set c${name} nomaster`),
      ),
    split: async (...groups) => {
      if (groups.length > GROUPS_MAX)
        throw new Error(`at most ${GROUPS_MAX} groups, asked for ${groups.length}`)
      await needBridges(groups.length)
      await ip(
        null,
        groups.flatMap((group, i) => group.map(({ name }) => `link set c${name} master b${i}`)),
      )
    },
    dropOneWay: (from, to) => iptables(to, `-A INPUT -i eth0 -s ${from.address} -j DROP`),
    setLoss: async (percent, among = hosts) => {
      if (!(percent >= 0 && percent <= 100)) throw new Error(`loss is ${percent}; it must be 0 to 100`)
      const chance = (percent / 100).toFixed(6)
      const rule = `-A INPUT -i eth0 -m statistic --mode random --probability ${chance} -j DROP`
      await Promise.all(among.map(host => iptables(host, rule)))
    },
    heal: async () => {
      await ip(
        null,
        hosts.map(({ name }) => `link set c${name} master b0`),
      )
      await Promise.all([...ruled].map(host => iptables(host, '-F INPUT')))
      ruled.clear()
    },
    close,
  }
}

/** Fails by the tool's name, so that nobody has to guess what to install. */
export const requireTool = (tool: string): void => {
  const folders = `${process.env.PATH ?? ''}${delimiter}/usr/sbin${delimiter}/sbin`.split(delimiter)
  for (const folder of folders) {
    try {
      accessSync(join(folder, tool), constants.X_OK)
      return
    } catch {
      // Not in this folder; the next may have it.
    }
  }
  throw new Error(`the machine tests need the program ${tool}, which is not installed`)
}

/** Holds the namespaces open until its input ends, which it does when this process does. */
const startAnchor = async (): Promise<{ process: ChildProcess; pid: number }> => {
  const script = 'mount -t tmpfs tmpfs /run && mkdir /run/netns && echo ready && exec cat'
  const child = spawn('unshare', ['--user', '--map-root-user', '--net', '--mount', 'sh', '-c', script], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const stderr = collect(child.stderr)
  const ended = once(child, 'close').then(() => false)
  const ready = once(child.stdout, 'data').then(() => true)
  if (!(await Promise.race([ready, ended])) || child.pid === undefined) {
    throw new Error(`the kernel gave no namespaces (unshare --user --net --mount): ${stderr().trim()}`)
  }
  return { process: child, pid: child.pid }
}

const collect = (stream: NodeJS.ReadableStream | null): (() => string) => {
  let text = ''
  stream?.setEncoding('utf8')
  stream?.on('data', chunk => {
    text += chunk
  })
  return () => text
}

const hostAt = (index: number): Host => {
  const high = index >> 8
  const low = index & 0xff
  const hex = (byte: number): string => byte.toString(16).padStart(2, '0')
  return {
    name: `h${index}`,
    index,
    address: `10.99.${high}.${low}`,
    mac: `02:00:0a:63:${hex(high)}:${hex(low)}`,
  }
}

const interfaceOf = ({ address }: Host): string[] => [
  'link set lo up',
  `addr add ${address}/16 dev eth0`,
  'link set eth0 up',
  // Multicast needs a way out; the rest of the world stays unreachable.
  'route add 224.0.0.0/4 dev eth0',
]

/**
 * Told, not asked for: the kernel's table of neighbors is shared by all namespaces, and
 * from 33 hosts that all talk to each other it overflows and fails falsely.
 */
const neighborsOf = (host: Host, others: readonly Host[]): string[] =>
  others
    .filter(other => other.index !== host.index)
    .map(({ address, mac }) => `neigh replace ${address} lladdr ${mac} dev eth0 nud permanent`)
