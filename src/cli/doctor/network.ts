// The network: whether the ports are free, whether addresses and seeds answer, whether
// multicast works, and what the node that may already run here says of itself.

import { createSocket } from 'node:dgram'
import { connect, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { ShoalError } from '../../core/errors.js'
import type { Configuration } from '../../daemon/configuration.js'
import type { NodeInfo } from '../../runtime/member-info.js'
import { createClient, parseTarget } from '../client.js'
import { type Finding, fail, ok, warn } from './finding.js'

const ANSWER_MS = 2_000
const DEFAULT_PORT = 4_701
const MDNS_GROUP = '224.0.0.251'

export interface Found {
  readonly isOurs: boolean
  readonly findings: readonly Finding[]
}

/** The node that runs here, if one does. */
export const findNode = async ({ api }: Configuration): Promise<Found> => {
  try {
    if (api.endsWith(':0')) throw new Error('no port')
    const { body } = await createClient({ api }).get<NodeInfo>('/v1/self')
    const text = `${body.name} runs here and is ${body.health}${body.reasons.length > 0 ? `: ${body.reasons.join('; ')}` : ''}`
    const finding =
      body.health === 'ok'
        ? ok('running node', text)
        : warn('running node', text, 'see "shoal info" and its log')
    return { isOurs: true, findings: [finding] }
  } catch (error) {
    if (error instanceof ShoalError && error.code === 'UNAUTHORIZED') {
      const hint = 'run doctor as the user that the node runs as, or with SHOAL_TOKEN'
      const text = `a node runs at ${api} and does not say how it is (no token)`
      return { isOurs: true, findings: [warn('running node', text, hint)] }
    }
    return { isOurs: false, findings: [ok('running node', `no node runs at ${api} yet`)] }
  }
}

export const checkPorts = async ({ settings, api }: Configuration, isOurs: boolean): Promise<Finding[]> => {
  const { host, port } = api.endsWith(':0') ? { host: '127.0.0.1', port: 0 } : parseTarget(api)
  const host0 = settings.meshKey === null ? '127.0.0.1' : '0.0.0.0'
  const wanted = (settings.listen ?? [`/ip4/${host0}/tcp/${DEFAULT_PORT}`]).flatMap(address => {
    const [, kind, at, , number] = address.split('/')
    return kind === 'ip4' || kind === 'ip6'
      ? [{ what: 'mesh port', host: at ?? '', port: Number(number) }]
      : []
  })
  return Promise.all(
    [...wanted, { what: 'API port', host: host === '*' ? '0.0.0.0' : host, port }].map(async each => {
      const where = `${each.host}:${each.port}`
      const problem = await tryListen(each.host, each.port)
      if (problem === null)
        return ok(each.what, each.port === 0 ? 'any free port is taken' : `${where} is free`)
      if (problem === 'EADDRINUSE' && isOurs)
        return ok(each.what, `${where} is used by the node that runs here`)
      const isTaken = problem === 'EADDRINUSE'
      return fail(
        each.what,
        isTaken ? `${where} is used by something else` : `${where} cannot be opened (${problem})`,
        isTaken
          ? `see who has it with "ss -ltnp sport = :${each.port}", or choose another`
          : 'choose an address of this machine',
      )
    }),
  )
}

const tryListen = (host: string, port: number): Promise<string | null> =>
  new Promise(resolve => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)))
  })

const tryConnect = (host: string, port: number): Promise<string | null> =>
  new Promise(resolve => {
    const socket = connect({ host, port })
    const end = (problem: string | null): void => {
      socket.destroy()
      resolve(problem)
    }
    socket.setTimeout(ANSWER_MS, () => end('no answer'))
    socket.once('connect', () => end(null))
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
  })

export const checkAddresses = ({ settings }: Configuration): Finding[] => {
  const own = Object.values(networkInterfaces()).flatMap(each => each ?? [])
  const outer = own.filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
  const announced = (settings.announce ?? []).flatMap(address => address.split('/')[2] ?? [])
  if (settings.meshKey === null) return [ok('addresses', 'a playground is reached on loopback alone')]
  if (outer.length === 0 && announced.length === 0) {
    return [
      fail(
        'addresses',
        'this machine has no address that others could reach',
        'connect it to a network; see "ip address"',
      ),
    ]
  }
  const shown = announced.length > 0 ? announced : outer.map(({ address }) => address)
  return [ok('addresses', `others are told ${shown.join(', ')}`)]
}

export const checkSeeds = async ({ settings }: Configuration): Promise<Finding[]> => {
  const seeds = settings.join.slice(0, 16)
  return Promise.all(
    seeds.map(async seed => {
      const { host, port } = hostAndPort(seed)
      const problem = await tryConnect(host, port)
      if (problem === null) return ok('join', `${seed} answers`)
      return warn(
        'join',
        `${seed} does not answer (${problem})`,
        problem === 'ENOTFOUND' || problem === 'EAI_AGAIN'
          ? 'use an address, or see to the name'
          : `see whether the node runs there and whether a firewall lets TCP ${port} through`,
      )
    }),
  )
}

const hostAndPort = (seed: string): { readonly host: string; readonly port: number } => {
  if (seed.startsWith('/')) {
    const [, , host, , port] = seed.split('/')
    return { host: host ?? '', port: Number(port) }
  }
  const [, host, port] = /^\[?([^[\]]+?)\]?(?::(\d{1,5}))?$/.exec(seed) ?? []
  if ((seed.match(/:/g)?.length ?? 0) > 1 && !seed.startsWith('[')) return { host: seed, port: DEFAULT_PORT }
  return { host: host ?? seed, port: port === undefined ? DEFAULT_PORT : Number(port) }
}

export const checkMulticast = async ({ settings }: Configuration): Promise<Finding[]> => {
  if (!settings.mdns) return [ok('multicast', 'it is not used (no-mdns)')]
  const problem = await hearOneself()
  if (problem === null) return [ok('multicast', 'works, so nodes of the local network find each other')]
  return [
    warn(
      'multicast',
      `does not work here (${problem}), so nodes do not find each other by themselves`,
      'name members with --join; switches and Docker networks often drop multicast',
    ),
  ]
}

/** A datagram to the group of mDNS, on a port of our own so that nobody else is disturbed. */
const hearOneself = (): Promise<string | null> =>
  new Promise(resolve => {
    const socket = createSocket({ type: 'udp4', reuseAddr: true })
    const end = (problem: string | null): void => {
      clearTimeout(timer)
      socket.close()
      resolve(problem)
    }
    const timer = setTimeout(() => end('nothing came back'), ANSWER_MS)
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
    socket.once('message', () => end(null))
    socket.bind(0, () => {
      try {
        socket.addMembership(MDNS_GROUP)
        socket.setMulticastLoopback(true)
        socket.send('shoal doctor', socket.address().port, MDNS_GROUP)
      } catch (error) {
        end((error as NodeJS.ErrnoException).code ?? String(error))
      }
    })
  })
