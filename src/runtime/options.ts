// What a program may ask for when it makes a node: checked once, every mistake in one
// sentence that names the key, the value and what is accepted; then frozen.

import { isIPv4, isIPv6 } from 'node:net'
import { parseDuration } from '../core/duration.js'
import { ShoalError } from '../core/errors.js'
import { isName, type Millis } from '../core/ids.js'
import type { NodeSettings } from './compose.js'

/** The options of `createNode`; the same keys as the flags of `shoal up`. */
export interface NodeOptions {
  /** What the node is called; the host name by default. Need not be unique. */
  readonly name?: string
  /** Where identity and state are kept. Without it nothing is kept. */
  readonly dataDir?: string
  /** Multiaddrs to listen on. */
  readonly listen?: readonly string[]
  /** Multiaddrs to tell others instead of the interfaces' own. */
  readonly announce?: readonly string[]
  /** Members to ask first: `HOST`, `HOST:PORT` or multiaddrs; tried for ever. */
  readonly join?: readonly string[]
  /** The file of the mesh key. Without it the node is a playground on loopback. */
  readonly meshKey?: string
  /** What this node has, as `{zone: 'hall-2'}`. */
  readonly labels?: Readonly<Record<string, string>>
  /** How much task weight it takes; unlimited unless set, 0 is none. */
  readonly capacity?: number | null
  /** `HOST:PORT` of the HTTP interface, or false for none (the default of the library). */
  readonly api?: string | false
  /** What it runs: `handler`, `module`, `exec`. */
  readonly allow?: readonly ('handler' | 'module' | 'exec')[]
  /** The folder of task modules. */
  readonly modules?: string
  /** Patterns of the spaces that it holds; all by default. */
  readonly spaces?: readonly string[]
  /** Whether it looks for others on the local network while it is alone. */
  readonly mdns?: boolean
  /** After how long a member that left is forgotten: `24h` by default, `1m` or more. The same on every node. */
  readonly forgetLeft?: string
  /** After how long a dead member is forgotten: `30d` by default, `1m` or more. The same on every node. */
  readonly forgetDead?: string
  /** The timing of the mesh; `lan` is the only one so far. */
  readonly preset?: 'lan'
  /** How much is written to stderr, one JSON object a line: nothing by default, for a program has a log of its own. */
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error' | 'silent'
}

const refuse = (key: string, value: unknown, accepted: string): never => {
  throw new ShoalError('OPTION_INVALID', `${key} is ${show(value)}; it must be ${accepted}`)
}

const show = (value: unknown): string => {
  // JSON knows neither NaN nor Infinity.
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value))
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}

/** Throws the one sentence that says what is wrong with a value, under the name that its giver used. */
export type OptionCheck = (key: string, value: unknown) => void

const isTextList = (value: unknown): boolean =>
  Array.isArray(value) && value.every(item => typeof item === 'string' && item !== '')

const path: OptionCheck = (key, value) => {
  if (typeof value !== 'string' || value === '') refuse(key, value, 'a path')
}
const port = (text: string | undefined): boolean => /^\d{1,5}$/.test(text ?? '') && Number(text) <= 65_535

const isMultiaddr = (text: string): boolean => {
  const [empty, kind, host, transport, number] = text.split('/')
  if (empty !== '' || transport !== 'tcp' || !port(number) || host === undefined) return false
  if (kind === 'ip4') return isIPv4(host)
  if (kind === 'ip6') return isIPv6(host)
  return /^dns[46]?$/.test(kind ?? '') && host !== ''
}
const multiaddrs: OptionCheck = (key, value) => {
  if (!isTextList(value)) refuse(key, value, 'a list of multiaddrs, such as /ip4/0.0.0.0/tcp/4701')
  for (const each of value as string[]) {
    if (!isMultiaddr(each)) refuse(key, each, 'a multiaddr, such as /ip4/0.0.0.0/tcp/4701')
  }
}
const seeds: OptionCheck = (key, value) => {
  if (!isTextList(value)) refuse(key, value, 'a list of HOST, HOST:PORT or multiaddrs')
  for (const each of value as string[]) {
    const isHost = isIPv6(each) || /^(\[[0-9a-f:.]+\]|[^\s:/[\]]+)(:\d{1,5})?$/i.test(each)
    const [, named] = /:(\d+)$/.exec(isIPv6(each) ? '' : each) ?? []
    const isGood = each.startsWith('/') ? isMultiaddr(each) : isHost && (named === undefined || port(named))
    if (!isGood)
      refuse(
        key,
        each,
        'HOST, HOST:PORT or a multiaddr, such as gw-1.local, 10.0.0.5:4701 or /ip4/10.0.0.5/tcp/4701',
      )
  }
}
const oneOf =
  (...allowed: readonly string[]): OptionCheck =>
  (key, value) => {
    if (!allowed.includes(value as string)) refuse(key, value, allowed.join(', '))
  }

/** A member that is forgotten before all have heard of its end would come back with the next rumor. */
const FORGET_MIN_MS = 60_000

const keeping: OptionCheck = (key, value) => {
  if (parseDuration(key, value) < FORGET_MIN_MS)
    refuse(key, value, 'a duration of at least 1m, such as 24h or 30d')
}

/** The rules of every option, by its name; flags and files are held to the same. */
export const optionChecks: Readonly<Record<keyof NodeOptions, OptionCheck>> = {
  name: (key, value) => {
    if (typeof value !== 'string' || !isName(value)) {
      refuse(
        key,
        value,
        'lower-case letters, digits, dots, dashes and underscores, 63 at most, a letter or digit first',
      )
    }
  },
  dataDir: path,
  listen: multiaddrs,
  announce: multiaddrs,
  join: seeds,
  meshKey: path,
  labels: (key, value) => {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    if (!isObject) refuse(key, value, 'an object of texts, such as {"zone": "hall-2"}')
    for (const [label, text] of Object.entries(value as object)) {
      if (typeof text !== 'string' || label === '' || label.length > 253 || text.length > 253) {
        refuse(`${key}.${label}`, text, 'a text of at most 253 characters')
      }
    }
  },
  capacity: (key, value) => {
    if (value !== null && (!Number.isSafeInteger(value) || (value as number) < 0)) {
      refuse(key, value, 'a whole number of at least 0; leave it out for no limit')
    }
  },
  api: (key, value) => {
    if (value === false) return
    const parts = typeof value === 'string' ? /^(\[[0-9a-f:.]+\]|[^\s:/[\]]+):(\d{1,5})$/i.exec(value) : null
    if (parts === null || !port(parts[2])) refuse(key, value, 'HOST:PORT, such as 127.0.0.1:4780')
  },
  allow: (key, value) => {
    const isKnown =
      Array.isArray(value) && value.every(item => ['handler', 'module', 'exec'].includes(item as string))
    if (!isKnown) refuse(key, value, 'a list of handler, module, exec')
  },
  modules: path,
  spaces: (key, value) => {
    const isPattern = (each: unknown): boolean =>
      typeof each === 'string' && /^[a-z0-9._*-]{1,63}$/.test(each)
    if (!Array.isArray(value) || !value.every(isPattern))
      refuse(key, value, 'a list of names of spaces in which * stands for anything, such as plant*')
  },
  mdns: (key, value) => {
    if (typeof value !== 'boolean') refuse(key, value, 'true or false')
  },
  forgetLeft: keeping,
  forgetDead: keeping,
  preset: oneOf('lan'),
  logLevel: oneOf('debug', 'info', 'warn', 'error', 'silent'),
}

/** The kinds of events that `node.on` tells of. */
export type ListenKind = 'member' | 'task' | 'state' | 'health'

/** What a program asks of a running node, held to the same as its options: a mistake never reaches the core. */
export const callChecks = {
  join: (addresses: unknown): void => seeds('join', addresses),
  report(source: unknown, level: unknown, reason: unknown): void {
    if (typeof source !== 'string' || source === '') refuse('report: source', source, 'a text')
    oneOf('ok', 'strained', 'failing')('report: level', level)
    if (typeof reason !== 'string') refuse('report: reason', reason, 'a text')
  },
  drain(on: unknown): void {
    if (typeof on !== 'boolean') refuse('drain', on, 'true or false')
  },
  on(kind: unknown, listener: unknown): void {
    oneOf('member', 'task', 'state', 'health')('on: kind', kind)
    if (typeof listener !== 'function') refuse('on: listener', listener, 'a function')
  },
  events(since: unknown): void {
    if (!Number.isSafeInteger(since) || (since as number) < 0)
      refuse('events: since', since, 'a whole number of at least 0, the seq of an event')
  },
  plan(options: unknown): void {
    const without = (options as { readonly without?: unknown } | null | undefined)?.without
    if (!isTextList(without)) refuse('plan: without', without, 'a list of names or ids of members')
    const unknown = Object.keys(options as object).find(key => key !== 'without')
    if (unknown !== undefined)
      throw new ShoalError('OPTION_UNKNOWN', `plan: ${unknown} is not an option; known is without`)
  },
}

/** Checks the options and fills their defaults. */
export const settingsOf = (options: NodeOptions): NodeSettings => {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    refuse('createNode: options', options, 'an object, such as {name: "gw-1"}')
  }
  for (const [key, value] of Object.entries(options)) {
    // `constructor` and its like stand on every object and are no options.
    const check = Object.hasOwn(optionChecks, key) ? optionChecks[key as keyof NodeOptions] : undefined
    if (check === undefined) {
      const known = Object.keys(optionChecks).join(', ')
      throw new ShoalError('OPTION_UNKNOWN', `${key} is not an option; known are ${known}`)
    }
    if (value !== undefined) check(key, value)
  }
  const allow = options.allow ?? (options.meshKey === undefined ? ['handler', 'module', 'exec'] : ['handler'])
  if (options.allow?.includes('module') && options.modules === undefined) {
    throw new ShoalError(
      'OPTION_INVALID',
      'allow names module, and modules is not set; it must be the folder of the task modules',
    )
  }
  if (options.meshKey === undefined && typeof options.api === 'string' && !isLoopbackHost(options.api)) {
    throw new ShoalError(
      'OPTION_INVALID',
      `api is ${JSON.stringify(options.api)} and there is no mesh key; without one only loopback is accepted, such as 127.0.0.1:4780`,
    )
  }
  return Object.freeze({
    name: options.name ?? null,
    dataDir: options.dataDir ?? null,
    listen: options.listen ?? null,
    announce: options.announce ?? null,
    join: options.join ?? [],
    meshKey: options.meshKey ?? null,
    labels: { ...options.labels },
    capacity: options.capacity ?? null,
    allow: options.modules === undefined ? allow.filter(kind => kind !== 'module') : allow,
    modules: options.modules ?? null,
    spaces: options.spaces ?? ['*'],
    mdns: options.mdns ?? true,
    forgetLeftMs: keptFor('forgetLeft', options.forgetLeft),
    forgetDeadMs: keptFor('forgetDead', options.forgetDead),
    logLevel: options.logLevel ?? 'silent',
  })
}

const keptFor = (key: string, text: string | undefined): Millis | null =>
  text === undefined ? null : parseDuration(key, text)

const isLoopbackHost = (address: string): boolean =>
  /^(127\.\d+\.\d+\.\d+|localhost|\[::1\]):\d+$/.test(address)
