// Reads an address as people write it: `HOST`, `HOST:PORT`, `[v6]:PORT` or a
// multiaddr with or without /p2p. Pure; names are resolved elsewhere, at every
// attempt anew, because a gateway's address may change while its name stays.

import { isIPv4, isIPv6 } from 'node:net'
import { ShoalError } from '../../core/errors.js'
import { limits } from './limits.js'

export interface Address {
  readonly host: string
  readonly family: 'ip4' | 'ip6' | 'name'
  readonly port: number
  /** The PeerId that the address says it leads to, or null. */
  readonly node: string | null
}

const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/i
const PEER_ID = /^[1-9A-HJ-NP-Za-km-z]{40,64}$/

const refuse = (text: string, why: string): never => {
  throw new ShoalError(
    'ADDRESS_INVALID',
    `the address is ${JSON.stringify(text.slice(0, 100))}: ${why}; ` +
      'accepted are HOST, HOST:PORT, [IPv6]:PORT and multiaddrs such as /ip4/10.0.0.7/tcp/4701',
  )
}

export const parseAddress = (text: string): Address => {
  if (text.length > limits.addressTextMax) return refuse(text, 'it is too long')
  if (text.startsWith('/')) return parseMultiaddr(text)
  if (text.startsWith('[')) {
    const end = text.indexOf(']')
    if (end < 0) return refuse(text, 'the bracket is not closed')
    const rest = text.slice(end + 1)
    if (rest !== '' && !rest.startsWith(':')) return refuse(text, 'after the bracket comes :PORT or nothing')
    return build(text, text.slice(1, end), rest === '' ? null : rest.slice(1), 'ip6', null)
  }
  // More than one colon without brackets is an IPv6 address alone.
  if (isIPv6(text)) return build(text, text, null, 'ip6', null)
  const colon = text.lastIndexOf(':')
  if (colon < 0) return build(text, text, null, null, null)
  return build(text, text.slice(0, colon), text.slice(colon + 1), null, null)
}

const parseMultiaddr = (text: string): Address => {
  const parts = text.split('/').slice(1)
  const [protocol, host, tcp, port, p2p, node] = parts
  const known =
    protocol === 'ip4' ||
    protocol === 'ip6' ||
    protocol === 'dns' ||
    protocol === 'dns4' ||
    protocol === 'dns6'
  if (!known || host === undefined)
    return refuse(text, 'it begins with none of /ip4, /ip6, /dns, /dns4, /dns6')
  const wanted = protocol === 'ip4' || protocol === 'ip6' ? protocol : 'name'
  if (parts.length === 2) return build(text, host, null, wanted, null)
  if (tcp !== 'tcp' || port === undefined) return refuse(text, 'only /tcp is spoken')
  if (parts.length === 4) return build(text, host, port, wanted, null)
  if (parts.length !== 6 || p2p !== 'p2p' || node === undefined)
    return refuse(text, 'after the port comes /p2p/ID or nothing')
  if (!PEER_ID.test(node)) return refuse(text, 'what follows /p2p is not a PeerId')
  return build(text, host, port, wanted, node)
}

const build = (
  text: string,
  host: string,
  port: string | null,
  wanted: Address['family'] | null,
  node: string | null,
): Address => {
  const family = isIPv4(host) ? 'ip4' : isIPv6(host) ? 'ip6' : 'name'
  if (wanted !== null && wanted !== family)
    return refuse(text, `${JSON.stringify(host)} does not fit what stands before it`)
  if (family === 'name' && (!HOST_NAME.test(host) || /^[\d.]+$/.test(host)))
    return refuse(text, `${JSON.stringify(host)} is no host`)
  const number = port === null ? limits.defaultPort : /^\d{1,5}$/.test(port) ? Number(port) : 0
  if (number < 1 || number > 65_535)
    return refuse(text, `the port is ${JSON.stringify(port)}, not 1 to 65535`)
  return { host, family, port: number, node }
}

/** The multiaddr of a place on the network, without /p2p: who answers there is checked after the handshake. */
export const multiaddrText = (family: 'ip4' | 'ip6', host: string, port: number): string => {
  const zone = family === 'ip6' ? host.indexOf('%') : -1
  if (zone >= 0) return `/ip6zone/${host.slice(zone + 1)}/ip6/${host.slice(0, zone)}/tcp/${port}`
  return `/${family}/${host}/tcp/${port}`
}
