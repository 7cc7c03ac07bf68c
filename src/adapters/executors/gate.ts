// How a program is kept from beginning before the reaper knows of it. `spawn` returns only
// when the program was executed, so a node that is killed in the meantime could tell nobody.
// Therefore a shell is spawned instead, which becomes the program once it reads `go`
// on descriptor 3; when the pipe ends without the word, because the node died, it ends.
// The process, its group and its output stay the same ones.
//
// A shell passes its environment on, but not untouched: it drops what is no shell name,
// adds its own (PWD, SHLVL) and gives some names a meaning. Those names travel as
// `env` arguments instead, which others see in `ps` until the program is executed, a
// millisecond later; all the others, with Shoal's token, never do. bash adds SHLVL
// in `exec` itself, so there `env` takes it away again.

/** `$1` says whether the shell itself may execute what follows, or `env` does. */
const GATE_SCRIPT = `
IFS= read -r SHOAL_GATE <&3 || exit 125
[ "$SHOAL_GATE" = go ] || exit 125
exec 3<&-
unset PWD OLDPWD SHLVL _ SHOAL_GATE
case $1\${BASH_VERSION-}\${KSH_VERSION-}\${ZSH_VERSION-} in
  direct) shift; exec "$@" ;;
esac
shift
exec /usr/bin/env -u PWD -u OLDPWD -u SHLVL -u _ -- "$@"
`

export const GATE_SHELL = '/bin/sh'
/** What opens the gate. */
export const GATE_WORD = 'go\n'

/** Names that a shell, or the loader of its libraries, sets, reads or guards. */
const SPECIAL = new RegExp(
  `^(?:${[
    '_',
    'SHOAL_GATE',
    '(?:BASH|KSH|ZSH|SH|LD|DYLD|LC|HIST|COMP|MALLOC|READLINE|EPOCH|YASH).*',
    '(?:SHELLOPTS|POSIXLY_CORRECT|POSIX_ME_HARDER|GLIBC_TUNABLES|LANGUAGE|NLSPATH|LOCPATH)',
    '(?:IFS|PWD|OLDPWD|CDPATH|ENV|FPATH|PATHSEP|MAIL|MAILPATH|MAILCHECK|PS[0-9]|PROMPT.*|TMOUT)',
    '(?:OPTIND|OPTARG|OPTERR|PPID|UID|EUID|GID|EGID|GROUPS|USER_ID|PGRP|PIPESTATUS|ERRNO|LINENO|REPLY)',
    '(?:RANDOM|SRANDOM|SECONDS|DIRSTACK|FUNCNAME|FUNCNEST|GLOBIGNORE|EXECIGNORE|GLOBSORT|TIMEFORMAT)',
    '(?:COLUMNS|LINES|IGNOREEOF|INPUTRC|HOSTFILE|CHILD_MAX|COPROC|MAPFILE|ATTY|FCEDIT|EDITOR|VISUAL)',
  ].join('|')})$`,
)
// Of the names with SH before them, Shoal's own are plain.
const isPlain = (name: string): boolean =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) &&
  (!SPECIAL.test(name) || (name.startsWith('SHOAL_') && name !== 'SHOAL_GATE'))

export interface GateCommand {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** `path` is where the program was found, for a name that would be read as an option. */
export const gateCommand = (
  exec: readonly [string, ...string[]],
  path: string,
  environment: Readonly<Record<string, string>>,
): GateCommand => {
  const names = Object.keys(environment)
  const special = names.filter(name => !isPlain(name)).map(name => `${name}=${environment[name]}`)
  const [program, ...args] = exec
  // `env` takes what has a `=` for a variable; `nice -n 0` changes nothing and executes it.
  const shield = program.includes('=') ? ['/usr/bin/nice', '-n', '0'] : []
  const how = special.length === 0 ? 'direct' : 'env'
  const what = program.startsWith('-') ? path : program
  return {
    args: ['-c', GATE_SCRIPT, 'shoal-gate', how, ...special, ...shield, what, ...args],
    env: Object.fromEntries(names.filter(isPlain).map(name => [name, environment[name] ?? ''])),
  }
}

/** Whether the last thing that was printed is the gate's own failure to execute the program. */
export const isGateFailure = (code: number | null, complaint: string): boolean =>
  (code === 126 || code === 127) && /^(?:shoal-gate: |(?:\/usr\/bin\/)?(?:env|nice): )/.test(complaint)
