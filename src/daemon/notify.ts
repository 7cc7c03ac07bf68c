// Tells systemd how the daemon is: ready, reloading, stopping, and alive. The
// protocol is a datagram on a Unix socket, which Node.js cannot send without native
// code, so `systemd-notify` sends it. The pings come from a timer of the event loop:
// a loop that is blocked sends none, and systemd restarts the daemon, which is what
// the watchdog is for. Without systemd nothing here does anything.

import { spawn } from 'node:child_process'

export interface Notifier {
  ready(status: string): void
  reloading(): void
  stopping(): void
  close(): void
}

const NOTHING: Notifier = { ready: () => {}, reloading: () => {}, stopping: () => {}, close: () => {} }

export const createNotifier = (
  warn: (text: string) => void,
  env: NodeJS.ProcessEnv = process.env,
): Notifier => {
  const socket = env.NOTIFY_SOCKET
  if (socket === undefined || socket === '') return NOTHING
  let failed = false
  const say = (...words: readonly string[]): void => {
    const child = spawn('systemd-notify', words, {
      stdio: 'ignore',
      env: { PATH: env.PATH ?? '/usr/bin:/bin', NOTIFY_SOCKET: socket },
    })
    const complain = (why: string): void => {
      if (!failed) warn(`systemd was not told ${words.join(' ')}: ${why}`)
      failed = true
    }
    child.once('error', error => complain(error.message))
    child.once('exit', code => {
      if (code !== 0) complain(`systemd-notify ended with ${code}`)
    })
    child.unref()
  }
  let timer: NodeJS.Timeout | null = null
  const periodMs = watchdogMs(env)
  return {
    ready(status) {
      say('READY=1', `STATUS=${status}`)
      // A third of the limit: two pings may be late before it is passed.
      if (periodMs !== null) timer ??= setInterval(() => say('WATCHDOG=1'), periodMs / 3).unref()
    },
    reloading() {
      say('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`)
    },
    stopping() {
      say('STOPPING=1')
    },
    close() {
      if (timer !== null) clearInterval(timer)
    },
  }
}

/** What systemd expects of this process, or null if it expects nothing. */
const watchdogMs = (env: NodeJS.ProcessEnv): number | null => {
  if (env.WATCHDOG_PID !== undefined && Number(env.WATCHDOG_PID) !== process.pid) return null
  const micros = Number(env.WATCHDOG_USEC)
  return Number.isFinite(micros) && micros > 0 ? micros / 1_000 : null
}
