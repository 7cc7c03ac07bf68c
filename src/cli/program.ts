// The tree of commands: their names, flags, help and examples. What a command does is
// loaded when it is asked for, so that `shoal members` never loads the code of a node.

import { Command, Option } from 'commander'
import { SETTINGS } from '../daemon/settings.js'
import { createClient } from './client.js'
import { answerEarlySignals } from './early-signals.js'
import { UsageError } from './errors.js'
import { nearest } from './nearest.js'
import { hasColour, paint } from './output.js'

/** The flags of every command that asks a node. */
export interface AskFlags {
  readonly json?: true
  readonly api?: string
  readonly tokenFile?: string
}

export const VERSION = '0.1.0'

export const createProgram = (): Command => {
  const program = new Command('shoal')
    .description('A leaderless runtime for edge gateways: members, shared state, and tasks that go on.')
    .version(VERSION, '-V, --version')
    .configureHelp({
      helpWidth: Math.min(80, process.stdout.columns ?? 80),
      styleTitle: text => paint(text, 'bold', hasColour()),
    })
    .exitOverride()
    .configureOutput({ outputError: oneLine('shoal --help') })
    .addHelpText(
      'after',
      examples(
        ['shoal demo', 'five nodes on this machine, to try everything'],
        ['shoal key mesh.key', 'a new mesh: copy the file to every gateway'],
        ['shoal up --mesh-key mesh.key', 'run a node'],
        ['shoal members', 'who is here'],
      ),
    )
    .addHelpText('after', EXIT_CODES)
  running(program)
  mesh(program)
  tasks(program)
  state(program)
  about(program)
  trying(program)
  return program
}

const EXIT_CODES = `
Exit 0: done. 1: what was asked failed. 2: wrong usage: the command line, a
variable or the configuration says what is not accepted, or names a file that
is not what it should be.`

/** A wrong word on the command line is one sentence in one line, like every other mistake. */
const oneLine =
  (help: string, known: () => string = () => '') =>
  (text: string, write: (text: string) => void): void => {
    const sentence = text
      .replace(/^error: /, '')
      .trim()
      .replaceAll('\n', ' ')
    const rest = /^unknown command '[^']*'$/.test(sentence) ? known() : ''
    write(`shoal: ${sentence}${rest} (see "${help}")\n`)
  }

const known = (group: Command): string =>
  group.commands.length === 0
    ? ''
    : `; ${group.name()} has ${group.commands.map(each => each.name()).join(', ')}`

/** Commands inherit nothing of their parent's error handling once they are made apart, so each is made here. */
const command = (parent: Command, usage: string, summary: string, ...shown: Example[]): Command => {
  const made = parent
    .command(usage)
    .summary(summary)
    .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
    // `refuseExcess` says more than commander does.
    .allowExcessArguments(true)
    .hook('preAction', (_, acting) => {
      if (acting === made) refuseExcess(made, path)
    })
  let path = made.name()
  for (let up: Command | null = parent; up?.parent != null; up = up.parent) path = `${up.name()} ${path}`
  made.configureOutput({ outputError: oneLine(`shoal ${path} --help`, () => known(made)) })
  if (shown.length > 0) made.addHelpText('after', examples(...shown))
  return made
}

/** What is most likely meant by an argument too many. */
const EXCESS_HINTS: Readonly<Record<string, string>> = {
  drain: '; it is for the node that is asked, which --api names',
  leave: '; it is for the node that is asked, which --api names',
  info: '; it is for the node that is asked, which --api names',
  up: '; several kinds of --allow are separated by commas',
  config: '; several kinds of --allow are separated by commas',
  doctor: '; several kinds of --allow are separated by commas',
  set: '; JSON with spaces in it needs quotes around it',
}

const refuseExcess = (made: Command, path: string): void => {
  const { args, registeredArguments: known } = made
  const extra = args[known.length]
  // A group that has an action of its own looks for the command that was meant.
  if (extra === undefined || known.at(-1)?.variadic === true || made.commands.length > 0) return
  const names = known.map(each => each.name().toUpperCase()).join(' and ')
  const hint = EXCESS_HINTS[made.name()] ?? ''
  throw new UsageError(
    `${path} takes ${names === '' ? 'no argument' : `${names} alone`}, and ${JSON.stringify(extra)} is given too${hint} (see "shoal ${path} --help")`,
  )
}

/** A command that asks a running node. */
const asks = (parent: Command, usage: string, summary: string, ...shown: Example[]): Command =>
  command(parent, usage, summary, ...shown)
    .option('--json', 'print JSON')
    .option('--api <host:port>', 'the node to ask (SHOAL_API; default 127.0.0.1:4780)')
    .option('--token-file <file>', "the file of its token (SHOAL_TOKEN; default its data's api.token)")

type Example = readonly [line: string, meaning: string]

const EXAMPLE_COLUMNS = 78

/** The meanings stand in one column; what leaves them no room has its meaning below it. */
const examples = (...shown: readonly Example[]): string => {
  const fits = ([text, meaning]: Example): boolean => text.length + meaning.length + 4 <= EXAMPLE_COLUMNS
  const widths = shown.filter(each => each[1] !== '' && fits(each)).map(([text]) => text.length)
  const longest = Math.max(0, ...shown.filter(fits).map(([, meaning]) => meaning.length))
  const width = Math.min(Math.max(0, ...widths), EXAMPLE_COLUMNS - 4 - longest)
  const lines = shown.map(([text, meaning]) =>
    meaning === ''
      ? `  ${text}`
      : text.length <= width
        ? `  ${text.padEnd(width)}  ${meaning}`
        : `  ${text}\n      ${meaning}`,
  )
  return `\n${paint(shown.length === 1 ? 'Example:' : 'Examples:', 'bold')}\n${lines.join('\n')}`
}

const clientOf = (flags: AskFlags) => createClient({ api: flags.api, tokenFile: flags.tokenFile })

const wholeNumber = (
  flag: string,
  text: string | undefined,
  min: number,
  max = Number.MAX_SAFE_INTEGER,
): number | undefined => {
  if (text === undefined) return undefined
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`
  throw new UsageError(`${flag} is ${JSON.stringify(text)}; it must be a whole number ${range}`)
}

const withSettings = (made: Command): Command => {
  for (const { key, kind, value, help, byDefault, choices } of SETTINGS) {
    const flag = kind === 'switch' ? `--${key}` : `--${key} ${value}`
    const accepted =
      choices === undefined || help.includes(choices[0] as string) ? '' : `: ${choices.join(', ')}`
    const text = kind === 'switch' ? help : `${help}${accepted} (default: ${byDefault})`
    const option = new Option(flag, text)
    // Commander's own `--no-` and defaults would hide whether a flag was given.
    option.attributeName = () => key
    option.negate = false
    made.addOption(option)
  }
  return made.option('--config <file>', 'a TOML file of these settings (default: /etc/shoal/shoal.toml)')
}

const running = (program: Command): void => {
  withSettings(
    command(
      program,
      'up',
      'run a node',
      ['shoal up', 'a playground on this machine'],
      ['shoal up --mesh-key mesh.key --join gw-1.local', 'a member of a mesh'],
      ['shoal up --label zone=hall-2 --capacity 20 --allow handler,exec', 'what it has and may'],
      ['SHOAL_CAPACITY=20 shoal up', 'every flag is also a variable'],
    ),
  )
    .option('--json', 'print the ready line as JSON')
    .action(async flags => {
      const onSignalsHeard = answerEarlySignals()
      // A mistake is told at once: the code of a node takes half a second to read.
      const configuration = (await import('../daemon/configuration.js')).configure(flags)
      const { runDaemon } = await import('../daemon/daemon.js')
      await runDaemon(configuration, flags, flags.json === true, onSignalsHeard)
    })
  command(program, 'key [file]', 'make a new mesh key', [
    'shoal key mesh.key',
    'into a file, mode 0600, never over another',
  ])
    .option('--json', 'print JSON')
    .action(async (file, flags) => (await import('./commands/key.js')).key(file, flags))
}

const mesh = (program: Command): void => {
  asks(program, 'members', 'show who is here', ['shoal members --watch', 'again at every change'])
    .option('-w, --watch', 'go on showing, until Ctrl-C')
    .action(async flags => (await import('./commands/members.js')).members(clientOf(flags), flags))
  asks(program, 'info', 'show what this node says of itself').action(async flags =>
    (await import('./commands/info.js')).info(clientOf(flags), flags),
  )
  asks(program, 'join <addr...>', 'go into a mesh', ['shoal join gw-1.local 10.0.0.5:4701', '']).action(
    async (addrs, flags) => (await import('./commands/membership.js')).join(clientOf(flags), addrs, flags),
  )
  asks(program, 'leave', 'give the tasks away, say goodbye and stop').action(async flags =>
    (await import('./commands/membership.js')).leave(clientOf(flags), flags),
  )
  asks(program, 'drain', "give this node's tasks away", ['shoal drain --off', 'take tasks again'])
    .option('--off', 'take tasks again')
    .action(async flags => (await import('./commands/membership.js')).drain(clientOf(flags), flags))
  asks(program, 'forget <name>', 'strike a member that will not return', [
    'shoal forget gw-7',
    'by name, id, or the first characters of the id',
  ]).action(async (name, flags) =>
    (await import('./commands/membership.js')).forget(clientOf(flags), name, flags),
  )
  asks(program, 'plan', 'show what would move if members were lost', ['shoal plan --without gw-1 gw-2', ''])
    .requiredOption('--without <name...>', 'the members to do without')
    .action(async flags => (await import('./commands/plan.js')).plan(clientOf(flags), flags))
  asks(
    program,
    'events',
    'show what happened, as this node saw it',
    ['shoal events --follow', 'and what happens'],
    ['shoal events --since 1200 --json', 'after number 1200, one object a line'],
  )
    .option('-f, --follow', 'go on showing, until Ctrl-C')
    .option('--since <seq>', 'only events after this number')
    .action(async flags => {
      const since = wholeNumber('--since', flags.since, 0)
      await (await import('./commands/events.js')).events(clientOf(flags), { ...flags, since })
    })
}

const tasks = (program: Command): void => {
  const group = asks(
    program,
    'tasks',
    'show the tasks and where they run; change them',
    ['shoal tasks', ''],
    ['shoal tasks apply poll.json', 'declare or change'],
    ['shoal tasks why poll-line-3', 'why it is where it is'],
  )
  const load = () => import('./commands/tasks.js')
  group.allowExcessArguments(true).action(async (flags, { args }: Command) => {
    const [word] = args
    if (word !== undefined) {
      const names = group.commands.map(each => each.name())
      const close = nearest(word, names)
      throw new UsageError(
        `tasks has no command ${word}; ${close === null ? `it has ${names.join(', ')}` : `did you mean ${close}?`}`,
      )
    }
    await (await load()).listTasks(clientOf(flags), flags)
  })
  const asked = (usage: string, summary: string, ...shown: Example[]): Command =>
    asks(group, usage, summary, ...shown)
  // Flags of `tasks` itself would otherwise take those that were meant for its commands.
  program.enablePositionalOptions()
  group.enablePositionalOptions()
  asked(
    'apply <file...>',
    'declare or change tasks, all or nothing',
    ['shoal tasks apply line-*.json', 'each an object or an array'],
    [
      `echo '{"id":"beat","run":{"exec":["date"]},"when":{"every":"5s"}}' | shoal tasks apply -`,
      'from stdin',
    ],
  ).action(async (files, flags) => (await import('./commands/apply.js')).apply(clientOf(flags), files, flags))
  asked('show <id>', 'show one task').action(async (id, flags) =>
    (await load()).showTask(clientOf(flags), id, flags),
  )
  asked('why <id>', 'show why each member was or was not chosen').action(async (id, flags) =>
    (await load()).why(clientOf(flags), id, flags),
  )
  asked('logs <id>', 'show the newest lines of its log', ['shoal tasks logs poll-line-3 --lines 20', ''])
    .option('-n, --lines <n>', 'how many, 10000 at most (default: 100)')
    .action(async (id, flags) =>
      (await load()).logs(clientOf(flags), id, wholeNumber('--lines', flags.lines, 1, 10_000) ?? 100, flags),
    )
  asked('restart <id>', 'stop it and start it again').action(async (id, flags) =>
    (await load()).restart(clientOf(flags), id, flags),
  )
  asked('rm <id...>', 'remove tasks').action(async (ids, flags) =>
    (await load()).remove(clientOf(flags), ids, flags),
  )
}

const state = (program: Command): void => {
  const group = command(
    program,
    'state',
    'read and write shared state',
    ['shoal state list', 'the spaces'],
    [`shoal state set line-3 target '{"rpm":900}'`, 'any JSON'],
    ['shoal state watch line-3', 'every change, until Ctrl-C'],
  )
  const load = () => import('./commands/state.js')
  asks(group, 'list [space]', 'show the spaces, or the keys of one').action(async (space, flags) =>
    (await load()).list(clientOf(flags), space, flags),
  )
  asks(group, 'get <space> <key>', 'print a value').action(async (space, key, flags) =>
    (await load()).get(clientOf(flags), space, key, flags),
  )
  asks(
    group,
    'set <space> <key> [json]',
    'write a value; from stdin without JSON',
    ['shoal state set plant mode \'"night"\'', 'a text has quotes of its own'],
    ['cat recipe.json | shoal state set plant recipe', ''],
  ).action(async (space, key, json, flags) => (await load()).set(clientOf(flags), space, key, json, flags))
  asks(group, 'rm <space> <key>', 'delete a key').action(async (space, key, flags) =>
    (await load()).remove(clientOf(flags), space, key, flags),
  )
  asks(group, 'watch <space>', 'print every change, until Ctrl-C').action(async (space, flags) =>
    (await load()).watch(clientOf(flags), space, flags),
  )
}

const about = (program: Command): void => {
  withSettings(
    command(
      program,
      'config',
      'show what is in force and where each value comes from',
      ['shoal config --config gw.toml', 'what "up" would use with this file'],
      ['shoal config --schema > shoal.schema.json', 'for editors of the file'],
    ),
  )
    .option('--json', 'print JSON')
    .option('--schema', 'print the JSON Schema of the file')
    .action(async flags => (await import('./commands/config.js')).config(flags))
  withSettings(command(program, 'doctor', 'look for what commonly goes wrong'))
    .option('--json', 'print JSON')
    .action(async flags => (await import('./doctor/doctor.js')).doctor(flags))
  command(program, 'completion <shell>', 'print what completes the command in a shell', [
    'source <(shoal completion bash)',
    'in ~/.bashrc',
  ])
    .option('--json', 'print JSON')
    .action(async (shell, flags) => (await import('./completion.js')).completion(program, shell, flags))
}

/** Named here too, so that the help needs no simulator; a test compares. */
export const SCENARIOS = [
  'chaos',
  'calm',
  'kills',
  'outages',
  'freezes',
  'partitions',
  'loss',
  'power-cut',
  'tasks',
]

const trying = (program: Command): void => {
  const simulate = command(
    program,
    'simulate [scenario]',
    'run the mesh in virtual time and check it',
    ['shoal simulate kills --nodes 1000 --seconds 60', ''],
    ['shoal simulate --seed 42', 'the same run again'],
  )
  const [scenario] = simulate.registeredArguments
  if (scenario !== undefined) scenario.description = `${SCENARIOS.join(', ')} (default: ${SCENARIOS[0]})`
  simulate
    .option('--nodes <n>', 'how many nodes (default: as the scenario has it)')
    .option('--seconds <s>', 'for how long, in virtual time (default: as the scenario)')
    .option('--seed <n>', 'what chance is drawn from (default: another each time)')
    .option('--json', 'print JSON, one object a line')
    .action(async (scenario, flags) => (await import('./commands/simulate.js')).simulate(scenario, flags))
  command(
    program,
    'demo',
    'try it: a small mesh on this machine',
    ['shoal demo', 'k, f, c and r kill, freeze, cut and revive; q ends it'],
    ['shoal demo --headless --seconds 30', 'a story with its measured times'],
  )
    .option('--nodes <n>', 'how many nodes, 3 to 9 (default: 5)')
    .option('--seconds <s>', 'end after this long; 15 or more for a story')
    .option('--headless', 'play a story and say what it measured')
    .option('--json', 'print JSON, one object a line')
    .action(async flags => {
      const nodes = wholeNumber('--nodes', flags.nodes, 3, 9) ?? 5
      const seconds = wholeNumber('--seconds', flags.seconds, flags.headless === true ? 15 : 1)
      const { demo } = await import('../demo/demo.js')
      process.exitCode = await demo({ ...flags, nodes, seconds })
    })
}
