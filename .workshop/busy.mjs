// One setup at a time in one folder: two that write into node_modules or dist/ together
// leave a mixture of both. Whoever holds the file `busy` works, the others wait.
//
// The file names the processes that are at work: the holder and the program that it runs,
// because an npm or a compiler goes on when the setup that started it was killed. A file
// whose processes are all gone belongs to nobody.

import { spawn } from 'node:child_process'
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SetupFailed, say } from './setup-failed.mjs'

const busy = join(dirname(fileURLToPath(import.meta.url)), 'busy')
const WAIT_MAX_MS = 10 * 60_000
const POLL_MS = 100
const OUTPUT_CHARS_MAX = 1_000_000

export const whileBusy = async work => {
  const mine = `${busy}.${process.pid}`
  writeFileSync(mine, `${process.pid}`)
  try {
    await take(mine)
  } finally {
    rmSync(mine, { force: true })
  }
  try {
    await work()
  } finally {
    rmSync(busy, { force: true })
  }
}

/** Runs a program for the holder; resolves to its exit code and the end of what it printed. */
export const runWhileBusy = (command, args, cwd) =>
  new Promise(resolve => {
    const child = spawn(command, args, {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: command.endsWith('.cmd'),
    })
    if (child.pid !== undefined) writeFileSync(busy, `${process.pid} ${child.pid}`)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', chunk => {
        output = (output + chunk).slice(-OUTPUT_CHARS_MAX)
      })
    }
    child.on('error', error => resolve({ code: null, output: error.message }))
    child.on('close', code => {
      writeFileSync(busy, `${process.pid}`)
      resolve({ code, output })
    })
  })

const take = async mine => {
  const giveUpAt = Date.now() + WAIT_MAX_MS
  let announced = false
  for (;;) {
    try {
      // A link appears with its contents or not at all.
      linkSync(mine, busy)
      return
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    const holders = readHolders()
    if (holders.length > 0 && !holders.some(isRunning)) {
      clearAbandoned(holders)
      continue
    }
    if (Date.now() > giveUpAt) {
      throw new SetupFailed(
        `process ${holders} has been at work for too long; if it is not a setup, delete ${busy}`,
      )
    }
    if (!announced) say(`waiting for process ${holders.find(isRunning)}, which is at work in this folder`)
    announced = true
    await new Promise(resolve => setTimeout(resolve, POLL_MS))
  }
}

/** Nobody where the file is gone or just being written: the caller asks again. */
const readHolders = (file = busy) => {
  try {
    return readFileSync(file, 'utf8').split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

const isRunning = pid => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Moves the file aside before judging it again: meanwhile it may have become another's. */
const clearAbandoned = holders => {
  const aside = `${busy}.${process.pid}.old`
  try {
    renameSync(busy, aside)
  } catch {
    return
  }
  if (`${readHolders(aside)}` !== `${holders}`) renameSync(aside, busy)
  rmSync(aside, { force: true })
}
