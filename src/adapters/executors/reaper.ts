// Sees to it that no program outlives its node, not even when the node is killed
// with SIGKILL. One shell per node, in a session of its own so that a terminal's signals
// miss it, reads from a pipe which process groups the node holds: `+PGID`, `-PGID`. When
// the pipe ends, for whatever reason, it kills those groups, once more after a pause, and
// ends. It kills what it was told of and nothing else; it never looks for processes.
//
// The numbers it gets are checked in the shell too, right before the kill: ten digits
// could wrap to -1, which means everybody. And a number may have become another's, so it
// notes when the group's first process began (/proc, where there is one) and leaves alone
// what began at another time. While a member lives the kernel gives its group's number to
// nobody, so a first process that is gone means that the group is still ours, or is empty.
//
// Nothing in the shell forks between the end of the pipe and the first kill: a node often
// dies because there is no memory or process left. Adding and removing take the same time
// however many groups there are: p_1 … p_count are the groups, i_PGID says where one stands,
// b_PGID when it began; the last one moves to where one was removed.

import { type ChildProcess, spawn } from 'node:child_process'
import type { Writable } from 'node:stream'
import { invariant, ShoalError } from '../../core/errors.js'
import type { Log } from '../../ports.js'
import { errorText } from './run.js'

export const REAPER_SCRIPT = `
trap '' HUP INT QUIT TERM
set -f
count=0
is_group() {
  case "$1" in '' | 0* | *[!0-9]* | ??????????*) return 1 ;; esac
  [ "$1" -gt 1 ] && [ "$1" -ne $$ ]
}
began() {
  stat= began=
  read -r stat <"/proc/$1/stat" || return 0
  set -- \${stat##*) }
  began=\${20}
  case "$began" in *[!0-9]*) began= ;; esac
}
hold() {
  eval "index=\\\${i_$1-}"
  [ -z "$index" ] || return 0
  began "$1"
  count=$((count + 1))
  eval "p_$count=$1 i_$1=$count b_$1=$began"
}
free() {
  eval "index=\\\${i_$1-}"
  [ -n "$index" ] || return 0
  eval "last=\\$p_$count"
  eval "p_$index=$last i_$last=$index"
  unset "i_$1" "b_$1" "p_$count"
  count=$((count - 1))
}
kill_all() {
  n=0
  while [ $n -lt $count ]; do
    n=$((n + 1))
    eval "group=\\$p_$n"
    is_group "$group" || continue
    eval "before=\\$b_$group"
    began "$group"
    [ -z "$before" ] || [ -z "$began" ] || [ "$before" = "$began" ] || continue
    kill -9 "-$group"
  done
}
while read -r line; do
  group=\${line#?}
  is_group "$group" || continue
  case "$line" in
    +*) hold "$group" ;;
    -*) free "$group" ;;
  esac
done
[ $count -gt 0 ] || exit 0
kill_all
sleep 0.1 || sleep 1
kill_all
`

/** A reaper that ended so soon after its start is not replaced at once a second time. */
const restartEveryMs = 1_000
/** A reaper that leaves so much unread (some 100,000 programs) is stopped, and is replaced. */
const unreadBytesMax = 1_048_576

export interface Reaper {
  /** Throws when there is no reaper and none can be had. Before the spawn. */
  ready(): void
  /** This group is ours. Calls back when a reaper's pipe has the word; never, should there be none. */
  hold(group: number, told: () => void): void
  /** The group was killed: forget it, for its number may be another's soon. */
  free(group: number): void
  close(): void
}

interface Shell {
  readonly child: ChildProcess
  readonly pipe: Writable
  readonly startedAt: number
}

export const createReaper = (log: Log): Reaper => {
  /** Each group, with who waits until a reaper was told of it, or null. */
  const held = new Map<number, (() => void) | null>()
  let shell: Shell | null = null
  let isShortLived = false
  let closed = false

  const tell = (line: string, written?: (error: Error | null | undefined) => void): void => {
    if (shell === null) return
    // What the pipe took is read, even if we die: it calls back then, and not when it is full.
    shell.pipe.write(line, written)
    if (shell.pipe.writableLength > unreadBytesMax) shell.child.kill('SIGKILL')
  }

  const announce = (group: number): void => {
    const told = held.get(group)
    tell(`+${group}\n`, error => {
      // A reaper that was lost has a successor, which is told anew.
      if (error || !told || held.get(group) !== told) return
      held.set(group, null)
      told()
    })
  }

  const lost = (which: Shell, why: string): void => {
    if (shell !== which) return
    shell = null
    if (closed) return
    log.error('the reaper of programs is gone', { why, groups: held.size })
    const again = (): void => {
      if (shell !== null || closed || held.size === 0) return
      try {
        start()
        log.warn('another reaper holds the programs', { groups: held.size })
      } catch (error) {
        log.error('programs run without a reaper', { groups: held.size, error: errorText(error) })
        setTimeout(again, restartEveryMs).unref()
      }
    }
    // At once, but not in a tight loop, should it be unable to live here.
    const wasShortLived = isShortLived
    isShortLived = performance.now() - which.startedAt < restartEveryMs
    if (wasShortLived && isShortLived) setTimeout(again, restartEveryMs).unref()
    else again()
  }

  const start = (): void => {
    const child = spawn('/bin/sh', ['-c', REAPER_SCRIPT, 'shoal-reaper'], {
      cwd: '/',
      detached: true,
      env: { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C' },
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    // Without a handle left in the process there is not even a pipe.
    const pipe: Writable | null | undefined = child.stdin
    if (child.pid === undefined || !pipe) {
      child.on('error', () => {})
      throw new ShoalError('REAPER_FAILED', 'no program is started without its reaper; /bin/sh could not be')
    }
    const started: Shell = { child, pipe, startedAt: performance.now() }
    shell = started
    child.on('error', error => lost(started, error.message))
    child.on('exit', (code, signal) => lost(started, `exit ${code ?? signal}`))
    // EPIPE says no more than `exit` does.
    pipe.on('error', () => {})
    // Neither of them may keep the embedding program alive.
    child.unref()
    if ('unref' in pipe && typeof pipe.unref === 'function') pipe.unref()
    for (const group of held.keys()) announce(group)
  }

  return {
    ready() {
      if (closed) throw new ShoalError('CLOSED', 'this node no longer starts programs')
      if (shell === null) start()
    },
    hold(group, told) {
      invariant(Number.isSafeInteger(group) && group > 1, 'a process group is a number above 1')
      held.set(group, told)
      announce(group)
    },
    free(group) {
      if (held.delete(group)) tell(`-${group}\n`)
    },
    close() {
      closed = true
      // It does what is left to do and ends by itself; nobody has to wait for it.
      shell?.pipe.end()
    },
  }
}
