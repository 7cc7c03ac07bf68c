// Where a node listens, and which of its addresses others are told.

import { ShoalError } from '../../core/errors.js'
import { limits } from './limits.js'

const LOOPBACK = /^\/(ip4\/127\.|ip6\/::1\/)/
const LINK_LOCAL = /^\/(ip6\/fe80:|ip6zone\/)/i

export const isLoopback = (multiaddr: string): boolean => LOOPBACK.test(multiaddr)

/** Checks and fills in what the user asked for: without a mesh key, loopback only. */
export const listenAddresses = (
  wanted: readonly string[] | undefined,
  hasKey: boolean,
): readonly string[] => {
  if (wanted === undefined) {
    const { defaultPort } = limits
    return hasKey
      ? [`/ip4/0.0.0.0/tcp/${defaultPort}`, `/ip6/::/tcp/${defaultPort}`]
      : [`/ip4/127.0.0.1/tcp/${defaultPort}`]
  }
  const open = wanted.find(address => !hasKey && !isLoopback(address))
  if (open !== undefined) {
    throw new ShoalError(
      'LISTEN_NEEDS_KEY',
      `listen is ${JSON.stringify(open)}; without a mesh key only loopback is accepted, such as /ip4/127.0.0.1/tcp/${limits.defaultPort}`,
    )
  }
  return wanted
}

/**
 * The addresses to tell others, sorted: without /p2p, and without loopback and
 * link-local ones where there are any others, because on another machine those
 * mean that machine.
 */
export const ownAddresses = (multiaddrs: readonly string[]): readonly string[] => {
  const all = [...new Set(multiaddrs.map(each => each.replace(/\/p2p\/[^/]+$/, '')))].sort()
  const others = all.filter(each => !isLoopback(each) && !LINK_LOCAL.test(each))
  return others.length > 0 ? others : all
}
