// Every setting of `shoal up`, once: its flag, its key in the file, its variable, what
// it means, how its text is read, what it is by default, and whether a reload changes
// it. The flags, the help, `shoal config`, the JSON Schema and the completion are all
// made of this table. What is accepted is decided by src/runtime/options.ts alone.

import type { NodeOptions } from '../runtime/options.js'

export type Kind = 'text' | 'path' | 'list' | 'labels' | 'count' | 'switch'

export interface Setting {
  /** The name of the flag without its dashes, and the key in the file. */
  readonly key: string
  readonly option: keyof NodeOptions
  readonly kind: Kind
  /** How the help writes its value. */
  readonly value: string
  readonly help: string
  /** In words, where it is not a value. */
  readonly byDefault: string
  readonly reloads?: true
  readonly choices?: readonly string[]
}

export const SETTINGS: readonly Setting[] = [
  {
    key: 'name',
    option: 'name',
    kind: 'text',
    value: '<name>',
    help: 'what the node is called; need not be unique',
    byDefault: 'the host name',
  },
  {
    key: 'data',
    option: 'dataDir',
    kind: 'path',
    value: '<dir>',
    help: 'where identity and state are kept',
    byDefault: '$STATE_DIRECTORY, else ~/.local/state/shoal',
  },
  {
    key: 'listen',
    option: 'listen',
    kind: 'list',
    value: '<multiaddr...>',
    help: 'where other nodes reach this one',
    byDefault: 'every interface, TCP 4701; loopback without a mesh key',
  },
  {
    key: 'announce',
    option: 'announce',
    kind: 'list',
    value: '<multiaddr...>',
    help: 'addresses to tell others instead of the own ones',
    byDefault: 'those of the interfaces',
  },
  {
    key: 'join',
    option: 'join',
    kind: 'list',
    value: '<addr...>',
    help: 'members to ask first: HOST, HOST:PORT or multiaddrs; tried for ever',
    byDefault: 'none; mDNS finds them on the local network',
  },
  {
    key: 'mesh-key',
    option: 'meshKey',
    kind: 'path',
    value: '<file>',
    help: 'the key file of the mesh, made by "shoal key"',
    byDefault: 'none: a playground on loopback',
  },
  {
    key: 'label',
    option: 'labels',
    kind: 'labels',
    value: '<k=v...>',
    help: 'what this node has, for tasks that need it',
    byDefault: 'none',
    reloads: true,
  },
  {
    key: 'capacity',
    option: 'capacity',
    kind: 'count',
    value: '<n>',
    help: 'how much task weight it takes; 0 is none',
    byDefault: 'no limit',
    reloads: true,
  },
  {
    key: 'api',
    option: 'api',
    kind: 'text',
    value: '<host:port>',
    help: 'where the HTTP interface listens',
    byDefault: '127.0.0.1:4780',
  },
  {
    key: 'allow',
    option: 'allow',
    kind: 'list',
    value: '<kinds>',
    help: 'what tasks may be: handler, module, exec, separated by commas',
    byDefault: 'handler; everything without a mesh key',
    choices: ['handler', 'module', 'exec'],
  },
  {
    key: 'modules',
    option: 'modules',
    kind: 'path',
    value: '<dir>',
    help: 'the folder of task modules',
    byDefault: 'none',
  },
  {
    key: 'spaces',
    option: 'spaces',
    kind: 'list',
    value: '<pattern...>',
    help: 'the spaces of shared state that it holds',
    byDefault: '*',
  },
  {
    key: 'no-mdns',
    option: 'mdns',
    kind: 'switch',
    value: '',
    help: 'do not look for others on the local network',
    byDefault: 'false',
  },
  {
    key: 'forget-left',
    option: 'forgetLeft',
    kind: 'text',
    value: '<duration>',
    help: 'how long a member that left is shown; the same on every node',
    byDefault: '24h',
  },
  {
    key: 'forget-dead',
    option: 'forgetDead',
    kind: 'text',
    value: '<duration>',
    help: 'how long a dead member is shown; the same on every node',
    byDefault: '30d',
  },
  {
    key: 'preset',
    option: 'preset',
    kind: 'text',
    value: '<preset>',
    help: 'the timing of the mesh',
    byDefault: 'lan',
    choices: ['lan'],
  },
  {
    key: 'log-level',
    option: 'logLevel',
    kind: 'text',
    value: '<level>',
    help: 'how much is written to stderr',
    byDefault: 'info',
    reloads: true,
    choices: ['debug', 'info', 'warn', 'error', 'silent'],
  },
]

export const variableOf = (key: string): string => `SHOAL_${key.toUpperCase().replaceAll('-', '_')}`

/** The JSON Schema of the file, for editors. */
export const settingsSchema = (): object => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'shoal.toml',
  description: 'The settings of a Shoal node. Every key is the name of a flag of "shoal up".',
  type: 'object',
  additionalProperties: false,
  properties: Object.fromEntries(
    SETTINGS.map(setting => [
      setting.key,
      { description: `${setting.help}. Default: ${setting.byDefault}.`, ...shapeOf(setting) },
    ]),
  ),
})

const shapeOf = ({ kind, choices }: Setting): object => {
  const text = choices === undefined ? { type: 'string', minLength: 1 } : { enum: choices }
  switch (kind) {
    case 'list':
      return { type: 'array', items: text }
    case 'labels':
      return { type: 'object', additionalProperties: { type: 'string', maxLength: 253 } }
    case 'count':
      return { type: 'integer', minimum: 0 }
    case 'switch':
      return { type: 'boolean' }
    default:
      return text
  }
}
