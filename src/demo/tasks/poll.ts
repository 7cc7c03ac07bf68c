// A task of the demo: asks the virtual controller about one machine, several times a
// second, and remembers in its checkpoint how often it was asked in all its lives.

import { connect } from 'node:net'
import type { TaskContext } from '../../adapters/executors/run.js'

interface Input {
  readonly port: number
  readonly machine: string
}

const PERIOD_MS = 250
const SAVE_EVERY = 8

export default async ({ input, checkpoint, save, signal, log }: TaskContext): Promise<void> => {
  const { port, machine } = input as unknown as Input
  let readings = typeof checkpoint === 'number' ? checkpoint : 0
  log(`polling ${machine}, after ${readings} readings by others`)
  const socket = connect({ port, host: '127.0.0.1' })
  await new Promise<void>((resolve, reject) => {
    const timer = setInterval(() => socket.write(`read ${machine}\n`), PERIOD_MS)
    const end = (error?: Error): void => {
      clearInterval(timer)
      socket.destroy()
      if (error === undefined) resolve()
      else reject(error)
    }
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      readings += text.split('\n').length - 1
      if (readings % SAVE_EVERY === 0) {
        log(text.trim())
        save(readings).catch(() => {
          // Its next owner begins a little earlier; nothing is lost but a count.
        })
      }
    })
    socket.once('error', end)
    socket.once('close', () => end(signal.aborted ? undefined : new Error('the controller hung up')))
    signal.addEventListener('abort', () => end())
    if (signal.aborted) end()
  })
  await save(readings)
}
