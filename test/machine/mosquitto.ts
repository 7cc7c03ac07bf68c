// Debian's mosquitto, started for one test on a free port of loopback, with settings that
// a gateway's broker would have.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import mqtt from 'mqtt'
import { requireTool } from './namespaces.js'

export interface Mosquitto {
  readonly url: string
  /** Ends it; what it kept for absent clients goes with it. */
  down(): Promise<void>
  up(): Promise<void>
}

const freePort = (): Promise<number> =>
  new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

export const createMosquitto = async (onEnd: (end: () => Promise<void>) => void): Promise<Mosquitto> => {
  requireTool('mosquitto')
  const port = await freePort()
  const url = `mqtt://127.0.0.1:${port}`
  const folder = mkdtempSync(join(tmpdir(), 'shoal-mosquitto-'))
  const file = join(folder, 'mosquitto.conf')
  writeFileSync(
    file,
    `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_inflight_messages 1000\nmax_queued_messages 0\n`,
  )
  let child: ChildProcess | null = null
  const up = async (): Promise<void> => {
    const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` }
    child = spawn('mosquitto', ['-c', file], { stdio: 'ignore', env })
    for (let tries = 0; ; tries += 1) {
      try {
        const client = await mqtt.connectAsync(url, { reconnectPeriod: 0, connectTimeout: 1_000 })
        return await client.endAsync(true)
      } catch (error) {
        if (tries > 100) throw error
        await new Promise(resolve => setTimeout(resolve, 50))
      }
    }
  }
  const down = async (): Promise<void> => {
    const old = child
    child = null
    if (old === null || old.exitCode !== null) return
    const ended = new Promise(resolve => old.once('exit', resolve))
    old.kill('SIGTERM')
    await ended
  }
  onEnd(async () => {
    await down()
    rmSync(folder, { recursive: true, force: true })
  })
  await up()
  return { url, up, down }
}
