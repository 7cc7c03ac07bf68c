// Sees to it that no program outlives its node, not even when the node is killed
// with SIGKILL. One shell per node, in a session of its own, reads from a pipe which
// process groups belong to it; when the pipe ends, for whatever reason, it kills them
// all and ends. A signal to the terminal's group does not reach it.
//
// A group alone is not enough, twice: a node may die between the spawn of a program
// and the word about its group, and a program may leave its group (`setsid`, a double
// fork). So each run also has a mark, the token in its environment, which the reaper
// is told *before* the spawn and which every descendant inherits: it kills whatever
// carries it. That needs /proc; elsewhere the group is all there is. Only a process that
// left its group and also cleaned its environment and was executed anew gets away.
//
// It never kills a group that it was told to let go of: the number may be another's by then.

import { type ChildProcess, spawn } from 'node:child_process'
import type { Writable } from 'node:stream'
import { invariant, ShoalError } from '../../core/errors.js'
import type { Log } from '../../ports.js'

// An empty pattern matches every process of the machine, so what is not a whole token is never
// looked for: that guard stands in the shell itself, behind which nothing else does.
const SCRIPT = `
trap '' HUP INT QUIT TERM
held=' '
drop() {
  case "$held" in *" $1 "*) held="\${held%%" $1 "*} \${held#*" $1 "}" ;; esac
}
sweep() {
  marks=
  for mark in "$@"; do
    case "$mark" in SHOAL_TOKEN=????????????????*) marks="$marks$mark
" ;; esac
  done
  [ -n "$marks" ] || return 0
  for pass in 1 2 3; do
    found=$(printf '%s' "$marks" | grep -lsaF -f - /proc/[0-9]*/environ)
    [ -n "$found" ] || return 0
    for file in $found; do
      pid=\${file#/proc/}
      pid=\${pid%/environ}
      [ "$pid" -gt 1 ] && [ "$pid" -ne $$ ] && kill -9 "$pid" 2>/dev/null
    done
  done
}
while read -r word group mark; do
  case "$word" in
    hold) held="$held$group:$mark " ;;
    free) drop "0:$mark"; drop "$group:$mark"; sweep "$mark" ;;
  esac
done
set --
for entry in $held; do
  group=\${entry%%:*}
  [ "$group" -gt 1 ] && kill -9 "-$group" 2>/dev/null
  set -- "$@" "\${entry#*:}"
done
[ $# -gt 0 ] || exit 0
sweep "$@"
sleep 0.1 || sleep 1
sweep "$@"
sleep 1
sweep "$@"
`

const MARK = /^SHOAL_TOKEN=[\w.-]{16,4096}$/
const restartEveryMs = 1_000

export interface Reaper {
  /** Resolves when the mark would be found if this node died now. Before the spawn. */
  expect(mark: string): Promise<void>
  /** This group is ours. After the spawn, in the same turn of the event loop. */
  hold(group: number, mark: string): void
  /** The run is over: forget its group, and kill whatever else still carries its mark. */
  free(group: number | null, mark: string): void
  close(): Promise<void>
}

export const createReaper = (log: Log): Reaper => {
  const held = new Map<string, { readonly group: number; readonly mark: string }>()
  let shell: { readonly child: ChildProcess; readonly pipe: Writable } | null = null
  let startedAt = Number.NEGATIVE_INFINITY
  let closed = false

  const keyOf = (group: number, mark: string): string => `${group} ${mark}`

  const start = (): { readonly child: ChildProcess; readonly pipe: Writable } => {
    startedAt = performance.now()
    const child = spawn('/bin/sh', ['-c', SCRIPT, 'shoal-reaper'], {
      cwd: '/',
      detached: true,
      env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    invariant(child.stdin !== null, 'the reaper was spawned with a pipe')
    const started = { child, pipe: child.stdin }
    const lost = (why: string): void => {
      if (shell !== started) return
      shell = null
      if (closed) return
      log.error('the reaper of programs is gone', { why, groups: held.size })
      // What runs needs a new one; not in a tight loop, should it be unable to live here.
      const waitMs = Math.max(0, restartEveryMs - (performance.now() - startedAt))
      setTimeout(() => {
        if (shell === null && !closed && held.size > 0) shell = start()
      }, waitMs).unref()
    }
    child.on('error', error => lost(error.message))
    child.on('exit', (code, signal) => lost(`exit ${code ?? signal}`))
    // EPIPE says no more than `exit` does.
    child.stdin.on('error', () => {})
    // Neither of them may keep the embedding program alive.
    child.unref()
    if ('unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref()
    for (const { group, mark } of held.values()) child.stdin.write(`hold ${group} ${mark}\n`)
    if (held.size > 0) log.warn('another reaper holds the programs', { groups: held.size })
    return started
  }

  return {
    expect(mark) {
      invariant(MARK.test(mark), 'a mark is one word')
      if (closed) return Promise.reject(new ShoalError('CLOSED', 'this node no longer starts programs'))
      shell ??= start()
      const { pipe } = shell
      held.set(keyOf(0, mark), { group: 0, mark })
      return new Promise((resolve, reject) => {
        // Once it is in the kernel's buffer it is read, whether this process lives or not.
        pipe.write(`hold 0 ${mark}\n`, error => {
          if (!error) return resolve()
          held.delete(keyOf(0, mark))
          const message = `no program is started without its reaper, which failed: ${error.message}`
          reject(new ShoalError('REAPER_FAILED', message, { cause: error }))
        })
      })
    },
    hold(group, mark) {
      invariant(Number.isSafeInteger(group) && group > 1, 'a process group is a number above 1')
      held.set(keyOf(group, mark), { group, mark })
      shell?.pipe.write(`hold ${group} ${mark}\n`)
    },
    free(group, mark) {
      held.delete(keyOf(0, mark))
      held.delete(keyOf(group ?? 0, mark))
      shell?.pipe.write(`free ${group ?? 0} ${mark}\n`)
    },
    close() {
      closed = true
      const last = shell
      if (last === null) return Promise.resolve()
      // It does what it was told and ends by itself; nobody has to wait for it.
      return new Promise(resolve => last.pipe.end(() => resolve()))
    },
  }
}
