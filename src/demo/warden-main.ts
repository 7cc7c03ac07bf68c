// Outlives the demo by a moment: whatever ends the demo, a SIGKILL included, its end of
// the pipe closes, and what it started is killed and its folder removed. A frozen node
// could not do that itself. It runs in a session of its own, away from Ctrl-C.
//
// On stdin: `PID BEGAN` for each process that was started. Its argument is the folder.

import { rmSync } from 'node:fs'
import { basename } from 'node:path'
import { createInterface } from 'node:readline'
import { FOLDER_PREFIX } from './folder.js'
import { type Began, beganAt, descendantsOf, signalProcess } from './processes.js'

const GONE_MS = 4_000
const LOOK_MS = 20

const folder = process.argv[2] ?? ''
const wards: Began[] = []

const isThere = ({ pid, began }: Began): boolean => beganAt(pid) === began

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

const lines = createInterface({ input: process.stdin })
lines.on('line', line => {
  const [, pid, began] = /^(\d+) (\d*)$/.exec(line) ?? []
  if (pid !== undefined && began !== undefined) wards.push({ pid: Number(pid), began })
})
lines.on('close', () => {
  // The nodes' programs are ended by the nodes' own reapers, which take a second to be sure.
  const all = [...wards, ...descendantsOf(wards.filter(isThere).map(({ pid }) => pid))]
  for (const { pid, began } of wards) signalProcess(pid, began, 'SIGKILL')
  const until = performance.now() + GONE_MS
  const finish = (): void => {
    const left = all.some(isThere)
    if (left && performance.now() < until) {
      setTimeout(finish, LOOK_MS)
      return
    }
    if (basename(folder).startsWith(FOLDER_PREFIX))
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
    process.exit(0)
  }
  finish()
})
