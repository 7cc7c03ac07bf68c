// What needs no node: usage, help, configuration, keys, completion, the simulator.

import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import test from 'ava'
import { describe } from '../../src/cli/commands/events.js'
import { clockTime } from '../../src/cli/output.js'
import { createProgram, SCENARIOS } from '../../src/cli/program.js'
import { nodeId } from '../../src/core/ids.js'
import { SETTINGS } from '../../src/daemon/settings.js'
import { scenarios } from '../../src/sim/scenarios.js'
import { inProcess } from './in-process.js'
import { makeDirectory, shoal } from './shoal.js'

const ASKING: readonly (readonly string[])[] = [
  ['members'],
  ['info'],
  ['join', 'gw-1'],
  ['leave'],
  ['drain'],
  ['forget', 'gw-1'],
  ['plan', '--without', 'gw-1'],
  ['events'],
  ['tasks'],
  ['tasks', 'show', 'a'],
  ['tasks', 'why', 'a'],
  ['tasks', 'logs', 'a'],
  ['tasks', 'restart', 'a'],
  ['tasks', 'rm', 'a'],
  ['state', 'list'],
  ['state', 'get', 'a', 'b'],
  ['state', 'set', 'a', 'b', '1'],
  ['state', 'rm', 'a', 'b'],
  ['state', 'watch', 'a'],
]

test.serial('without a command the help is shown, and that is wrong usage', async t => {
  const { code, out, err } = await shoal([])
  t.is(code, 2)
  t.is(out, '')
  t.regex(err, /Usage: shoal/)
})

test.serial('asking for help is no mistake', async t => {
  const { code, out } = await shoal(['tasks', 'apply', '--help'])
  t.is(code, 0)
  t.regex(out, /Examples:/)
})

test.serial('an unknown command is answered with the one that was meant', async t => {
  const { code, err } = await shoal(['membres'])
  t.is(code, 2)
  t.regex(err, /Did you mean members/)
})

test.serial('a process of its own ends by itself, with what these tests see in theirs', async t => {
  const data = makeDirectory()
  t.teardown(() => rmSync(data, { recursive: true }))
  mkdirSync(join(data, 'store'))
  writeFileSync(join(data, 'store', 'notes.txt'), '')
  const listen = ['--no-mdns', '--listen', '/ip4/127.0.0.1/tcp/0', '--api', '127.0.0.1:0']
  for (const [code, ...args] of [
    [0, 'completion', 'bash'],
    [0, 'config', '--json'],
    [1, 'members', '--api', '127.0.0.1:1'],
    [2, 'state', 'set', 'a', 'b', 'no JSON', '--api', '127.0.0.1:1'],
    [2, 'up', '--capacity', '-1'],
    // As late as a mistake can be found.
    [2, 'up', '--data', data, ...listen],
  ] as const) {
    const outcome = await shoal(args)
    t.is(outcome.code, code, outcome.err)
    t.deepEqual(await inProcess(args), outcome)
  }
})

for (const args of ASKING) {
  const name = args.join(' ')
  test.serial(`${name}: an unknown flag, a wrong --api and a node that is not there`, async t => {
    const flag = await inProcess([...args, '--jsno'])
    const address = await inProcess([...args, '--api', 'nowhere'])
    const nobody = await inProcess([...args, '--api', '127.0.0.1:1'])
    t.is(flag.code, 2)
    t.regex(flag.err, /^shoal: unknown option '--jsno' .*\(see "shoal .*--help"\)\n$/)
    t.is(address.code, 2)
    t.regex(address.err, /--api is "nowhere"; it must be HOST:PORT/)
    t.is(nobody.code, 1)
    t.is(nobody.err.trim().split('\n').length, 1)
    t.regex(nobody.err, /no node runs at 127\.0\.0\.1:1; start one with "shoal up"/)
  })
}

test.serial('a token file that is not there is named', async t => {
  const { code, err } = await inProcess(['members', '--token-file', '/nonexistent/api.token'])
  t.is(code, 2)
  t.regex(err, /--token-file is \/nonexistent\/api\.token, which cannot be read/)
})

test.serial('every page of help fits eighty columns and every command has one', t => {
  const program = createProgram()
  const pages: string[] = []
  const walk = (command: typeof program): void => {
    pages.push(command.helpInformation())
    for (const child of command.commands) walk(child as typeof program)
  }
  walk(program)
  t.true(pages.length > 25)
  for (const page of pages) {
    for (const line of page.split('\n')) t.true(stripVTControlCharacters(line).length <= 80, line)
  }
})

test.serial(
  'config shows each value and where it comes from: flag over variable over file over default',
  async t => {
    const directory = makeDirectory()
    t.teardown(() => rmSync(directory, { recursive: true }))
    const file = join(directory, 'shoal.toml')
    writeFileSync(file, 'name = "from-file"\ncapacity = 3\nlog-level = "debug"\n[label]\nzone = "hall-2"\n')
    const env = { SHOAL_CAPACITY: '5', SHOAL_LOG_LEVEL: 'warn' }
    const { code, out } = await inProcess(['config', '--json', '--config', file, '--log-level', 'error'], {
      env,
    })
    t.is(code, 0)
    const { values } = JSON.parse(out)
    t.deepEqual(values.name, { value: 'from-file', from: file })
    t.deepEqual(values.label, { value: { zone: 'hall-2' }, from: file })
    t.deepEqual(values.capacity, { value: 5, from: 'SHOAL_CAPACITY' })
    t.deepEqual(values['log-level'], { value: 'error', from: '--log-level' })
    t.deepEqual(values.api, { value: '127.0.0.1:4780', from: 'default' })
    t.true((await inProcess(['config', '--config', file])).out.split('\n').every(line => line.length <= 80))
  },
)

test.serial('a path in the file is meant from the folder of the file', async t => {
  const directory = makeDirectory()
  t.teardown(() => rmSync(directory, { recursive: true }))
  writeFileSync(join(directory, 'shoal.toml'), 'data = "state"\n')
  const { out } = await inProcess(['config', '--json', '--config', join(directory, 'shoal.toml')])
  t.is(JSON.parse(out).values.data.value, join(directory, 'state'))
})

test.serial('the help names every value that a choice has, and examples end where they end', async t => {
  const { out } = await inProcess(['up', '--help'])
  const flat = out.replace(/\s+/g, ' ')
  for (const { key, choices } of SETTINGS)
    for (const choice of choices ?? [])
      t.regex(flat, new RegExp(`--${key} [^-].*?${choice}`), `${key} ${choice}`)
  t.deepEqual(
    scenarios.map(({ name }) => name),
    SCENARIOS,
  )
  const walk = (command: ReturnType<typeof createProgram>): string[] => [
    command.name(),
    ...command.commands.flatMap(child => walk(child as never)),
  ]
  t.true(walk(createProgram()).length > 25)
  for (const page of [['state', 'set'], ['join'], ['tasks'], ['plan']]) {
    const { out } = await inProcess([...page, '--help'])
    t.false(/ $/m.test(out), out)
  }
})

test.serial('an argument too many is named, with what was probably meant', async t => {
  for (const [args, sentence] of [
    [['drain', 'gw-2'], /^shoal: drain takes no argument, and "gw-2" is given too; .*--api names/],
    [['up', '--allow', 'handler', 'exec'], /^shoal: up takes no argument, and "exec" is given too; .*commas/],
    [['key', 'a', 'b'], /^shoal: key takes FILE alone, and "b" is given too/],
    [['state', 'set', 'a', 'b', '1', '2'], /^shoal: state set takes SPACE and KEY and JSON alone, and "2"/],
    [['tasks', 'show', 'a', 'b'], /^shoal: tasks show takes ID alone, and "b" is given too/],
    [['state', 'lst'], /^shoal: unknown command 'lst' .*Did you mean list\?/],
    [['state', 'frobnicate'], /^shoal: unknown command 'frobnicate'; state has list, get, set, rm, watch/],
    [['help', 'membres'], /^shoal: unknown command 'membres'; did you mean members\?/],
  ] as const) {
    const { code, out, err } = await inProcess(args)
    t.is(code, 2, err)
    t.is(out, '')
    t.regex(err, sentence)
    t.is(err.trim().split('\n').length, 1, err)
  }
})

test.serial('an event of a member’s health says how it is and why', t => {
  const line = describe(
    {
      seq: 7,
      at: 0,
      kind: 'member.health',
      member: nodeId('12D3KooW'),
      name: 'gw-3',
      verdict: 'alive',
      cause: null,
      health: 'strained',
      reasons: ['cpu: busy'],
    },
    String,
  )
  t.regex(line, / 7 {2}member\.health +gw-3 is strained; cpu: busy$/)
})

test.serial('a time is that of the day, with its date when it is not today', t => {
  const at = new Date(2026, 10, 21, 9, 5, 3, 7).getTime()
  t.is(clockTime(at, at + 3_600_000), '09:05:03.007')
  t.is(clockTime(at, at + 86_400_000), '2026-11-21 09:05:03.007')
})

const WRONG: readonly (readonly [string, readonly string[], string | null, RegExp])[] = [
  ['a negative number', ['--capacity', '-1'], null, /--capacity is -1; it must be a whole number/],
  ['a number with a unit', ['--capacity', '5kg'], null, /--capacity is "5kg"; it must be/],
  ['a label without a value', ['--label', 'zone'], null, /--label is "zone"; it must be NAME=VALUE/],
  ['a label twice', ['--label', 'a=1', 'a=2'], null, /--label gives a twice/],
  ['a name that is none', ['--name', 'Hall 2'], null, /--name is "Hall 2"; it must be lower-case/],
  [
    'an address that is none',
    ['--listen', '0.0.0.0:4701'],
    null,
    /--listen is "0\.0\.0\.0:4701"; .*multiaddr/,
  ],
  [
    'a port that is none',
    ['--api', '127.0.0.1:99999'],
    null,
    /--api is "127\.0\.0\.1:99999"; it must be HOST:PORT/,
  ],
  [
    'a kind of task that is none',
    ['--allow', 'exec,shell'],
    null,
    /--allow is \["exec","shell"\]; it must be/,
  ],
  [
    'a log level that is none',
    ['--log-level', 'loud'],
    null,
    /--log-level is "loud"; it must be debug, info/,
  ],
  [
    'a pattern that no space can match',
    ['--spaces', 'Plant*'],
    null,
    /--spaces is \["Plant\*"\]; it must be .* such as plant\*/,
  ],
  ['modules without their folder', ['--allow', 'module'], null, /allow names module, and modules is not set/],
  ['an open API without a key', ['--api', '0.0.0.0:4780'], null, /no mesh key; .*only loopback is accepted/],
  [
    'an unknown key of the file',
    [],
    'labels = {}\n',
    /labels in .*shoal\.toml is no setting; did you mean label\?/,
  ],
  [
    'a number that is a text in the file',
    [],
    'capacity = "5"\n',
    /capacity in .*shoal\.toml is "5"; it must be/,
  ],
  [
    'a switch that is a text in the file',
    [],
    'no-mdns = "yes"\n',
    /no-mdns in .*shoal\.toml is "yes"; it must be true or false/,
  ],
  ['a file that is no TOML', [], 'name = \n', /shoal\.toml is no TOML at line 1/],
]

test.serial(
  'a data directory that cannot be made is one sentence, also where the system says ENOENT',
  async t => {
    for (const data of ['/proc/x', '/proc/x/y/z', '/dev/null/x']) {
      const { code, out, err } = await inProcess(['up', '--no-mdns', '--api', '127.0.0.1:0', '--data', data])
      t.is(code, 2)
      t.is(out, '')
      t.true(err.includes(`the data directory is ${data} and cannot be used (`), err)
      t.is(
        err
          .trim()
          .split('\n')
          .filter(each => each.startsWith('shoal: ')).length,
        1,
        err,
      )
    }
  },
)

for (const [what, args, text, sentence] of WRONG) {
  test.serial(`up and config refuse ${what} in one sentence`, async t => {
    const directory = makeDirectory()
    t.teardown(() => rmSync(directory, { recursive: true }))
    const file = join(directory, 'shoal.toml')
    if (text !== null) writeFileSync(file, text)
    const all = text === null ? args : [...args, '--config', file]
    for (const command of ['up', 'config']) {
      const { code, out, err } = await inProcess([command, ...all])
      t.is(code, 2)
      t.is(out, '')
      t.is(err.trim().split('\n').length, 1)
      t.regex(err, sentence)
    }
  })
}

test.serial('a variable is named when its value is refused, and an empty one counts as none', async t => {
  const { code, err } = await inProcess(['config'], { env: { SHOAL_CAPACITY: 'much' } })
  t.is(code, 2)
  t.regex(err, /SHOAL_CAPACITY is "much"/)
  t.is((await inProcess(['config'], { env: { SHOAL_CAPACITY: '' } })).code, 0)
})

test.serial('a configuration file or a mesh key that is not there is named', async t => {
  const file = await inProcess(['up', '--config', '/nonexistent/shoal.toml'])
  t.is(file.code, 2)
  t.regex(file.err, /the configuration file \/nonexistent\/shoal\.toml cannot be read/)
  const directory = makeDirectory()
  t.teardown(() => rmSync(directory, { recursive: true }))
  const key = await inProcess(['up', '--data', directory, '--mesh-key', join(directory, 'no.key')])
  t.is(key.code, 2)
  t.regex(key.err, /the mesh key file .*no\.key does not exist; "shoal key .*" makes a new one/)
})

const keyedBy = (file: string): readonly string[] => ['--mesh-key', file]

const WRONG_FILES: readonly (readonly [string, (data: string) => readonly string[], RegExp])[] = [
  [
    'a listen address beyond loopback without a key',
    () => ['--listen', '/ip4/0.0.0.0/tcp/0'],
    /listen is "\/ip4\/0\.0\.0\.0\/tcp\/0"; without a mesh key only loopback is accepted/,
  ],
  [
    'a folder of modules that is not there',
    data => ['--modules', join(data, 'none')],
    /modules is .*none, which does not exist; it must be a folder/,
  ],
  [
    'a token that everybody can change',
    data => {
      const key = join(data, 'mesh.key')
      writeFileSync(key, `/key/swarm/psk/1.0.0/\n/base16/\n${'5a'.repeat(32)}\n`, { mode: 0o600 })
      writeFileSync(join(data, 'api.token'), `${'a'.repeat(43)}\n`)
      chmodSync(join(data, 'api.token'), 0o666)
      return keyedBy(key)
    },
    /api\.token has mode 666, so that everybody can change the API token/,
  ],
  [
    'a token that is a folder',
    data => {
      const key = join(data, 'mesh.key')
      writeFileSync(key, `/key/swarm/psk/1.0.0/\n/base16/\n${'5a'.repeat(32)}\n`, { mode: 0o600 })
      mkdirSync(join(data, 'api.token'))
      return keyedBy(key)
    },
    /api\.token cannot be used \(EISDIR\); it must be a file/,
  ],
  [
    'an identity that everybody can change',
    data => {
      writeFileSync(join(data, 'identity.key'), 'x')
      chmodSync(join(data, 'identity.key'), 0o666)
      return []
    },
    /identity\.key has mode 666, so that everybody can change the identity/,
  ],
  [
    'an identity that is none',
    data => {
      writeFileSync(join(data, 'identity.key'), 'x', { mode: 0o600 })
      return []
    },
    /identity\.key is no Ed25519 key/,
  ],
  [
    'a store that is none',
    data => {
      mkdirSync(join(data, 'store'))
      writeFileSync(join(data, 'store', 'notes.txt'), '')
      return []
    },
    /holds notes\.txt and no FORMAT, so it is not a store of Shoal/,
  ],
]

for (const [what, prepare, sentence] of WRONG_FILES) {
  test.serial(`up calls ${what} wrong usage`, async t => {
    const data = makeDirectory()
    t.teardown(() => rmSync(data, { recursive: true }))
    const given = prepare(data)
    const listen = given.includes('--listen') ? [] : ['--listen', '/ip4/127.0.0.1/tcp/0']
    const args = ['up', '--no-mdns', '--api', '127.0.0.1:0', '--data', data, ...listen, ...given]
    const { code, out, err } = await inProcess(args)
    t.is(code, 2, err)
    t.is(out, '')
    t.regex(err, sentence)
    t.is(err.trim().split('\n').length, 1, err)
  })
}

test.serial('the schema of the file knows exactly the settings', async t => {
  const { code, out } = await inProcess(['config', '--schema'])
  t.is(code, 0)
  const schema = JSON.parse(out)
  t.false(schema.additionalProperties)
  t.deepEqual(
    Object.keys(schema.properties),
    SETTINGS.map(({ key }) => key),
  )
})

test.serial('a new key goes to a file of mode 0600, or to stdout, and never over another file', async t => {
  const directory = makeDirectory()
  t.teardown(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'mesh.key')
  const made = await inProcess(['key', file, '--json'])
  t.is(made.code, 0)
  t.regex(JSON.parse(made.out).meshId, /^[0-9a-f]{16}$/)
  t.is(statSync(file).mode & 0o777, 0o600)
  const before = readFileSync(file, 'utf8')
  t.regex(before, /^\/key\/swarm\/psk\/1\.0\.0\/\n\/base16\/\n[0-9a-f]{64}\n$/)
  const again = await inProcess(['key', file])
  t.is(again.code, 1)
  t.regex(again.err, /exists already; a mesh key is never written over another file/)
  t.is(readFileSync(file, 'utf8'), before)
  t.regex((await inProcess(['key'])).out, /^\/key\/swarm\/psk/)
  const { key, meshId } = JSON.parse((await inProcess(['key', '--json'])).out)
  const copy = join(directory, 'copy.key')
  writeFileSync(copy, key, { mode: 0o600 })
  const doctor = JSON.parse(
    (await inProcess(['doctor', '--json', '--mesh-key', copy, '--data', directory])).out,
  )
  t.true(doctor.some(({ text }: { text: string }) => text.includes(`the mesh ${meshId}`)))
})

test.serial(
  'a key cannot be made where no folder is, in a folder that is no folder, or into two files',
  async t => {
    const nowhere = await inProcess(['key', '/dev/null/mesh.key'])
    t.is(nowhere.code, 2)
    t.regex(nowhere.err, /\/dev\/null\/mesh\.key cannot be written/)
    const inFile = await inProcess(['key', '/nonexistent/mesh.key'])
    t.is(inFile.code, 2)
    t.regex(inFile.err, /cannot be written \(ENOENT\); name a file in a folder that is there/)
    t.is((await inProcess(['key', 'a', 'b'])).code, 2)
  },
)

test.serial('bash completes commands, the commands of a group, and flags', async t => {
  const { code, out } = await inProcess(['completion', 'bash'])
  t.is(code, 0)
  const complete = (...words: string[]): string =>
    `COMP_WORDS=(${words.map(word => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _shoal; echo "\${COMPREPLY[*]}"`
  const script = [
    out,
    complete('shoal', 'mem'),
    complete('shoal', 'tasks', 'ap'),
    complete('shoal', 'members', '--wa'),
    complete('shoal', 'up', '--mesh'),
  ].join('\n')
  const { stdout } = spawnSync('bash', ['-c', script], { encoding: 'utf8' })
  t.deepEqual(stdout.trim().split('\n'), ['members', 'apply', '--watch', '--mesh-key'])
})

test.serial('completion of another shell, of none, and with a flag is refused', async t => {
  const other = await inProcess(['completion', 'fish'])
  t.is(other.code, 2)
  t.regex(other.err, /the shell is "fish"; it must be bash/)
  t.is((await inProcess(['completion'])).code, 2)
  t.is(JSON.parse((await inProcess(['completion', 'bash', '--json'])).out).shell, 'bash')
  t.is((await inProcess(['completion', 'bash', '--zsh'])).code, 2)
})

test.serial(
  'simulate refuses a scenario that is none, a number that is none, and an unknown flag',
  async t => {
    const scenario = await inProcess(['simulate', 'no-such-scenario'])
    t.is(scenario.code, 2)
    t.regex(scenario.err, /scenario is "no-such-scenario"/)
    t.not((await inProcess(['simulate', '--nodes', 'many'])).code, 0)
    t.is((await inProcess(['simulate', '--nods', '5'])).code, 2)
  },
)

test.serial('the demo refuses too few nodes, too short a story, and an unknown flag', async t => {
  const few = await inProcess(['demo', '--nodes', '1'])
  t.is(few.code, 2)
  t.regex(few.err, /--nodes is "1"; it must be a whole number from 3 to 9/)
  t.is((await inProcess(['demo', '--nodes', '10'])).code, 2)
  const short = await inProcess(['demo', '--headless', '--seconds', '5'])
  t.is(short.code, 2)
  t.regex(short.err, /--seconds is "5"; it must be a whole number of at least 15/)
  t.is((await inProcess(['demo', '--hedless'])).code, 2)
})

test.serial(
  'doctor says each thing in a sentence, exits 1 when one is wrong, and refuses wrong settings',
  async t => {
    const directory = makeDirectory()
    t.teardown(() => rmSync(directory, { recursive: true }))
    const key = join(directory, 'mesh.key')
    await inProcess(['key', key])
    const args = [
      '--data',
      join(directory, 'data'),
      '--mesh-key',
      key,
      '--api',
      '127.0.0.1:0',
      '--listen',
      '/ip4/127.0.0.1/tcp/0',
    ]
    const good = await inProcess(['doctor', '--json', ...args])
    const findings = JSON.parse(good.out) as {
      check: string
      level: string
      text: string
      fix: string | null
    }[]
    t.true(findings.length >= 10)
    for (const { level, text, fix } of findings) {
      t.true(['ok', 'warn', 'fail'].includes(level))
      t.true(text.length > 10)
      t.is(fix === null, level === 'ok')
    }
    t.is(good.code, findings.some(({ level }) => level === 'fail') ? 1 : 0)
    t.is(findings.find(({ check }) => check === 'mesh key')?.level, 'ok')

    chmodSync(key, 0o666)
    const open = await inProcess(['doctor', ...args])
    t.is(open.code, 1)
    t.regex(open.out, /everybody can change/)
    mkdirSync(join(directory, 'file'), { recursive: true })
    writeFileSync(join(directory, 'file', 'data'), '')
    const noFolder = await inProcess(['doctor', '--data', join(directory, 'file', 'data')])
    t.is(noFolder.code, 1)
    const noModules = await inProcess(['doctor', ...args, '--modules', join(directory, 'none')])
    t.is(noModules.code, 1)
    t.regex(noModules.out, /modules: .*none is no folder/)
    t.is((await inProcess(['doctor', '--capacity', 'much'])).code, 2)
  },
)

test.serial('a mesh key in place of its path is refused, and not repeated', async t => {
  const key = 'ab'.repeat(32)
  for (const text of [key, `/key/swarm/psk/1.0.0/\n/base16/\n${key}`]) {
    for (const args of [['up'], ['config'], ['config', '--json']]) {
      const { code, out, err } = await inProcess(args, { env: { SHOAL_MESH_KEY: text } })
      t.is(code, 2, err)
      t.regex(err, /SHOAL_MESH_KEY holds a mesh key itself/)
      t.false(`${out}${err}`.includes(key))
    }
  }
})

test.serial('a token that is none, and a number that no node can store, are wrong usage', async t => {
  const twoLines = await inProcess(['members'], { env: { SHOAL_TOKEN: 'a\nb' } })
  t.is(twoLines.code, 2)
  t.regex(twoLines.err, /SHOAL_TOKEN holds no token/)
  const infinite = await inProcess(['state', 'set', 'a', 'b', '{"x":[1e999]}'], { api: '127.0.0.1:1' })
  t.is(infinite.code, 2)
  t.regex(infinite.err, /larger than any that can be stored/)
})
