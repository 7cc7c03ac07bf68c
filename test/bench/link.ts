// Measures the links between real processes: how soon a killed neighbor is noticed
// and refused, what a heartbeat and an idle node cost on the wire, and the memory
// of a node with eight links. Bytes are those of the loopback device of a network
// namespace of its own (Ethernet headers included), so nothing else is counted.
//
//   node dist/test/bench/link.js            (root, for the namespace)

import '../../src/polyfill.js'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { createIdentity } from '../../src/adapters/identity/identity.js'
import { createLibp2pTransport } from '../../src/adapters/libp2p/transport.js'
import { createCodec } from '../../src/adapters/wire/codec.js'
import { type NodeId, nodeId } from '../../src/core/ids.js'
import type { Transport, TransportListener } from '../../src/ports.js'

const MESH_KEY = new Uint8Array(32).fill(7)
const KILLS = 20
const HEARTBEATS = 100
const IDLE_SECONDS = 30
const LINKS = 8
const TOPICS = 5

const heartbeat = (): Uint8Array =>
  createCodec().encode({ kind: 'heartbeat', meshTime: Date.now(), view: null })

class Node {
  readonly transport: Transport
  addresses: readonly string[] = []
  readonly #events: { what: string; node: string | null; reason?: string; at: number }[] = []
  #wake: () => void = () => {}

  constructor(transport: Transport) {
    this.transport = transport
  }

  static async start(): Promise<Node> {
    const { seed } = createIdentity()
    const transport = await createLibp2pTransport({
      seed,
      meshKey: MESH_KEY,
      listen: ['/ip4/127.0.0.1/tcp/0'],
    })
    const node = new Node(transport)
    await transport.start(node.listener)
    for (let i = 0; i < TOPICS; i++) transport.subscribe(`shoal/space/${i}`)
    return node
  }

  async see(what: string, node: string | null): Promise<{ at: number; reason?: string }> {
    while (true) {
      const index = this.#events.findIndex(each => each.what === what && each.node === node)
      const [event] = index < 0 ? [] : this.#events.splice(index, 1)
      if (event !== undefined) return event
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  #note(what: string, node: string | null, reason?: string): void {
    this.#events.push({ what, node, at: performance.now(), ...(reason === undefined ? {} : { reason }) })
    this.#wake()
  }

  readonly listener: TransportListener = {
    onLinkUp: node => this.#note('up', node),
    onLinkDown: node => this.#note('down', node),
    onVerified: () => {},
    onDialAccepted: () => {},
    onDialFailed: (node, _address, reason) => this.#note('failed', node, reason),
    onMessage: () => {},
    onGossip: () => 'accept',
    onRequest: async () => new Uint8Array(),
    onDiscovered: () => {},
    onAddresses: addresses => {
      this.addresses = addresses
    },
    onMisbehaved: (node, offence) => this.#note('misbehaved', node, offence),
  }
}

/** A peer process: links to whom it is told, and sends as many heartbeats a second as it is told. */
const peer = async (): Promise<void> => {
  const node = await Node.start()
  const beats = new Map<NodeId, NodeJS.Timeout>()
  console.log(JSON.stringify({ id: node.transport.self, addresses: node.addresses }))
  for await (const line of createInterface({ input: process.stdin })) {
    const [command, id = '', argument = ''] = line.split(' ')
    const to = nodeId(id)
    if (command === 'dial') {
      node.transport.dial(to, argument.split(','))
      await node.see('up', to)
    }
    if (command === 'beat') {
      const everyMs = Number(argument)
      clearInterval(beats.get(to))
      if (everyMs > 0)
        beats.set(
          to,
          setInterval(() => node.transport.send(to, 'link', heartbeat()), everyMs),
        )
    }
    if (command === 'burst') {
      for (let i = 0; i < HEARTBEATS; i++) {
        node.transport.send(to, 'link', heartbeat())
        await sleep(50)
      }
    }
    console.log(JSON.stringify({ done: command, rss: process.memoryUsage.rss() }))
  }
  process.exit(0)
}

interface Peer {
  readonly child: ChildProcess
  readonly id: NodeId
  readonly addresses: readonly string[]
  ask(command: string): Promise<{ rss: number }>
}

const children = new Set<ChildProcess>()

const startPeer = async (): Promise<Peer> => {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), 'peer'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  children.add(child)
  child.once('exit', () => children.delete(child))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const read = async (): Promise<never> => JSON.parse((await lines.next()).value as string) as never
  const { id, addresses } = (await read()) as { id: NodeId; addresses: string[] }
  const ask = async (command: string): Promise<{ rss: number }> => {
    child.stdin.write(`${command}\n`)
    return read()
  }
  return { child, id, addresses, ask }
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

/** What went over the loopback device: each packet is counted once. */
const wire = (): { bytes: number; packets: number } => {
  const line =
    readFileSync('/proc/net/dev', 'utf8')
      .split('\n')
      .find(each => each.trim().startsWith('lo:')) ?? ''
  const fields = line.split(':')[1]?.trim().split(/\s+/).map(Number) ?? []
  return { bytes: fields[8] ?? 0, packets: fields[9] ?? 0 }
}

const measure = async (work: () => Promise<unknown>): Promise<{ bytes: number; packets: number }> => {
  const before = wire()
  await work()
  const after = wire()
  return { bytes: after.bytes - before.bytes, packets: after.packets - before.packets }
}

const kills = async (): Promise<void> => {
  const node = await Node.start()
  const down: number[] = []
  const refused: number[] = []
  for (let i = 0; i < KILLS; i++) {
    const { child, id, addresses } = await startPeer()
    node.transport.dial(id, addresses)
    await node.see('up', id)
    await sleep(200)
    const from = performance.now()
    child.kill('SIGKILL')
    const lost = await node.see('down', id)
    node.transport.dial(id, addresses)
    const failed = await node.see('failed', id)
    if (failed.reason !== 'refused') throw new Error(`the redial was not refused but ${failed.reason}`)
    down.push(lost.at - from)
    refused.push(failed.at - from)
  }
  await node.transport.stop()
  console.log(
    `SIGKILL → link down: median ${median(down).toFixed(1)} ms, most ${Math.max(...down).toFixed(1)} ms (${KILLS} runs)`,
  )
  console.log(
    `SIGKILL → redial refused: median ${median(refused).toFixed(1)} ms, most ${Math.max(...refused).toFixed(1)} ms`,
  )
}

const heartbeats = async (): Promise<void> => {
  const [a, b] = [await startPeer(), await startPeer()]
  await a.ask(`dial ${b.id} ${b.addresses.join()}`)
  await sleep(3_000)
  const one = await measure(() => a.ask(`burst ${b.id}`))
  console.log(
    `heartbeat: ${(one.bytes / HEARTBEATS).toFixed(0)} bytes in ${(one.packets / HEARTBEATS).toFixed(2)} packets, both directions (${HEARTBEATS} runs)`,
  )
  const silent = await measure(() => sleep(10_000))
  console.log(
    `a link with ${TOPICS} idle topics and no heartbeats: ${(silent.bytes / 10).toFixed(0)} bytes/s`,
  )
  a.child.kill()
  b.child.kill()
}

const idle = async (): Promise<void> => {
  const peers: Peer[] = []
  for (let i = 0; i < 5; i++) peers.push(await startPeer())
  for (const [i, each] of peers.entries()) {
    for (const other of peers.slice(i + 1)) await each.ask(`dial ${other.id} ${other.addresses.join()}`)
  }
  for (const [i, each] of peers.entries()) {
    for (const step of [1, 2]) await each.ask(`beat ${peers[(i + step) % peers.length]?.id} 1000`)
  }
  await sleep(3_000)
  const all = await measure(() => sleep(IDLE_SECONDS * 1_000))
  const perNode = all.bytes / peers.length / IDLE_SECONDS
  console.log(
    `idle node with 4 links, ${TOPICS} topics, 2 heartbeats out and 2 in: ${perNode.toFixed(0)} bytes/s sent (${IDLE_SECONDS} s, 5 nodes)`,
  )
  for (const each of peers) each.child.kill()
}

const memory = async (): Promise<void> => {
  const bare = await startPeer()
  const alone = (await bare.ask('nothing')).rss
  const others: Peer[] = []
  for (let i = 0; i < LINKS; i++) others.push(await startPeer())
  for (const each of others) await each.ask(`dial ${bare.id} ${bare.addresses.join()}`)
  for (const each of others) await bare.ask(`beat ${each.id} 500`)
  await sleep(20_000)
  const linked = (await bare.ask('nothing')).rss
  const mb = (bytes: number): string => (bytes / 1024 / 1024).toFixed(0)
  console.log(
    `memory on Node ${process.versions.node}: ${mb(alone)} MB alone, ${mb(linked)} MB with ${LINKS} links after 20 s`,
  )
  for (const each of [bare, ...others]) each.child.kill()
}

const main = async (): Promise<void> => {
  if (process.env.SHOAL_BENCH_INSIDE === undefined) {
    const script = 'ip link set lo up && exec "$0" "$1"'
    const args = ['--net', 'sh', '-c', script, process.execPath, fileURLToPath(import.meta.url)]
    execFileSync('unshare', args, { stdio: 'inherit', env: { ...process.env, SHOAL_BENCH_INSIDE: '1' } })
    return
  }
  process.on('exit', () => {
    for (const child of children) child.kill('SIGKILL')
  })
  const wanted = process.env.SHOAL_BENCH_ONLY
  const parts = { kills, heartbeats, idle, memory }
  for (const [name, part] of Object.entries(parts)) if (wanted === undefined || wanted === name) await part()
  process.exit(0)
}

if (process.argv[2] === 'peer') {
  const major = Number(process.versions.node.split('.')[0])
  setFlagsFromString(major >= 24 ? '--optimize-for-size' : '--max-semi-space-size=1')
  await peer()
} else await main()
