// The machine itself: Node.js, the user, the clock, memory, limits, the kernel.

import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import type { Configuration } from '../../daemon/configuration.js'
import { type Finding, fail, ok, warn } from './finding.js'

const MIB = 1024 * 1024
/** An idle node takes 85 to 105 MB; a task's module adds its own thread. */
const MEMORY_MIB = 256
const FILES_MIN = 4_096
const NEIGHBORS_MIN = 1_024
/** When this was written: a clock before it was never set. */
const WRITTEN = Date.UTC(2026, 0, 1)
const FAR_AHEAD_MS = 20 * 365 * 86_400_000

export const checkNode = (): Finding[] => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19))
    return [ok('node', `Node.js ${process.versions.node} will do`)]
  return [fail('node', `Node.js is ${process.versions.node}; 20.19 or newer is needed`, 'install Node.js 24')]
}

export const checkUser = ({ settings }: Configuration): Finding[] => {
  if (process.getuid?.() !== 0) return [ok('user', 'this user is not root')]
  const what = settings.allow.includes('exec') ? 'and tasks may run any program' : 'and tasks run as root too'
  return [
    warn(
      'user',
      `this user is root, ${what}`,
      'run the node as a user of its own, as docker/systemd/shoal.service does',
    ),
  ]
}

export const checkClock = async (): Promise<Finding[]> => {
  const now = Date.now()
  const shown = new Date(now).toISOString().slice(0, 19)
  if (now < WRITTEN || now > WRITTEN + FAR_AHEAD_MS) {
    return [
      fail(
        'clock',
        `the clock says ${shown}, so it was never set`,
        'set it, or let systemd-timesyncd or chrony set it',
      ),
    ]
  }
  const isSynced = await isTimeSynced()
  const findings = [ok('clock', `the clock says ${shown} UTC`)]
  if (isSynced === null) {
    findings.push(
      warn(
        'time sync',
        'nobody here says whether the clock is kept right',
        'install systemd-timesyncd or chrony; cron tasks go by the clock',
      ),
    )
  } else if (isSynced) findings.push(ok('time sync', 'the clock is kept right by the network'))
  else
    findings.push(
      warn(
        'time sync',
        'the clock is not synchronised',
        'see "timedatectl timesync-status" or "chronyc tracking"',
      ),
    )
  return findings
}

const isTimeSynced = (): Promise<boolean | null> =>
  new Promise(resolve => {
    if (existsSync('/run/systemd/timesync/synchronized')) {
      resolve(true)
      return
    }
    execFile(
      'timedatectl',
      ['show', '-p', 'NTPSynchronized', '--value'],
      { timeout: 2_000 },
      (error, out) => {
        resolve(error === null ? out.trim() === 'yes' : null)
      },
    )
  })

export const checkMemory = (): Finding[] => {
  const available = Number(/MemAvailable:\s+(\d+)/.exec(read('/proc/meminfo'))?.[1] ?? Number.NaN) / 1024
  const limit = process.constrainedMemory?.() ?? 0
  // Without a limit the kernel answers with a number beyond any memory.
  const total = (limit > 0 && limit < totalmem() ? limit : totalmem()) / MIB
  const free = Number.isNaN(available) ? total : Math.min(available, total)
  const text = `${Math.round(free)} MB of ${Math.round(total)} MB are available`
  if (free >= MEMORY_MIB) return [ok('memory', text)]
  return [
    warn(
      'memory',
      `${text}; a node takes about 100 and each module more`,
      'end something else, or give tasks of modules to other nodes',
    ),
  ]
}

export const checkFiles = (): Finding[] => {
  const text = /Max open files\s+(\S+)\s+(\S+)/.exec(read('/proc/self/limits'))
  if (text === null) return [ok('open files', 'this system does not tell the limit')]
  const hard = text[2] === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text[2])
  if (hard >= FILES_MIN) return [ok('open files', `up to ${text[2]} files may be open`)]
  return [
    warn(
      'open files',
      `only ${text[2]} files may be open; connections and programs need one each`,
      `raise it: "ulimit -n ${FILES_MIN}", or LimitNOFILE=${FILES_MIN} in the unit`,
    ),
  ]
}

export const checkKernel = (): Finding[] => {
  const text = read('/proc/sys/net/ipv4/neigh/default/gc_thresh3').trim()
  if (text === '') return [ok('kernel', 'this system does not tell the size of its neighbor table')]
  if (Number(text) >= NEIGHBORS_MIN) return [ok('kernel', `the neighbor table holds ${text} hosts`)]
  return [
    warn(
      'kernel',
      `the neighbor table holds ${text} hosts; a larger local network overflows it and members seem unreachable`,
      `sysctl -w net.ipv4.neigh.default.gc_thresh3=${NEIGHBORS_MIN * 4}`,
    ),
  ]
}

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
