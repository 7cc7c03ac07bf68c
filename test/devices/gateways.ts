// Gateways as processes of their own, for the stories in which one is killed.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { shippedDevices } from '../fleet/shipped.js'

export interface Gateway {
  readonly id: string
  readonly addrs: readonly string[]
  readonly log: readonly string[]
  /** How many members it holds alive, by its own word. */
  alive(): Promise<number>
  /** As the power cut: SIGKILL to this very child. */
  kill(): Promise<void>
}

/** Tasks that are put while some have not met yet run twice for a moment, and that is another story. */
export const knowEachOther = async (gateways: readonly Gateway[], members: number): Promise<boolean> =>
  (await Promise.all(gateways.map(gateway => gateway.alive()))).every(alive => alive === members)

export interface Gateways {
  start(program: string, settings: object): Promise<Gateway>
  close(): Promise<void>
}

const DEVICES = await shippedDevices()

export const createGateways = (): Gateways => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-gateways-'))
  const children: ChildProcess[] = []
  const end = (child: ChildProcess): Promise<void> =>
    child.exitCode !== null || child.signalCode !== null
      ? Promise.resolve()
      : new Promise(resolve => {
          child.once('exit', () => resolve())
          child.kill('SIGKILL')
        })
  return {
    async start(program, settings) {
      const file = join(folder, `gateway-${children.length}.json`)
      writeFileSync(file, JSON.stringify(settings))
      const child = spawn(process.execPath, [join(DEVICES, program, 'gateway.js'), '--config', file], {
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      children.push(child)
      const log: string[] = []
      createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', line => log.push(line))
      const ready = await new Promise<string>((resolve, reject) => {
        createInterface({ input: child.stdout as NodeJS.ReadableStream }).once('line', resolve)
        child.once('exit', code => reject(new Error(`${program} ended with ${code}: ${log.join('\n')}`)))
      })
      const { id, addrs, api } = JSON.parse(ready)
      const alive = async (): Promise<number> => {
        const members = (await (await fetch(`http://${api}/v1/members`)).json()) as { verdict: string }[]
        return members.filter(({ verdict }) => verdict === 'alive').length
      }
      return { id, addrs, log, alive, kill: () => end(child) }
    },
    async close() {
      await Promise.all(children.map(end))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
