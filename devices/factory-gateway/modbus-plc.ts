// One connection to one PLC over Modbus TCP. Whatever goes wrong comes as a `PlcFault`
// whose message is the reason that a person reads: stable, without numbers that differ
// from one try to the next. After any fault but a refusal by the PLC itself the connection
// is thrown away: a late answer to an old question must not be taken for a new one.

import { connect, type Socket } from 'node:net'
import modbus from 'modbus-serial'
import type { Block } from './points.js'
import type { PlcPath } from './settings.js'

type Client = InstanceType<typeof modbus.default>

export class PlcFault extends Error {
  override readonly name = 'PlcFault'
  /** The PLC answered, and said no. */
  readonly isRefusal: boolean

  constructor(message: string, isRefusal = false) {
    super(message)
    this.isRefusal = isRefusal
  }
}

export interface ModbusPlc {
  /** Reads all blocks, connecting first where need be; rejects with a `PlcFault`. */
  read(blocks: readonly Block[]): Promise<readonly (readonly number[])[]>
  write(address: number, word: number): Promise<void>
  /** Lets go of the connection; what is under way rejects. */
  close(): void
}

interface Line {
  readonly socket: Socket
  readonly client: Client
  readonly lost: Promise<never>
}

export const createModbusPlc = (path: PlcPath, timeoutMs: number): ModbusPlc => {
  const where = `${path.host}:${path.port}`
  let line: Line | null = null
  let isClosed = false

  const drop = (): void => {
    line?.socket.destroy()
    line = null
  }

  const open = async (): Promise<Line> => {
    if (isClosed) throw new PlcFault('the connection was given up')
    const socket = connect({ host: path.host, port: path.port, timeout: timeoutMs, noDelay: true })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', error => reject(new PlcFault(connectReason(where, error))))
      socket.once('timeout', () => {
        socket.destroy()
        reject(new PlcFault(`no answer from ${where}: there is no way to it, or it is switched off`))
      })
    })
    socket.setTimeout(0)
    const lost = new Promise<never>((_, reject) => {
      socket.once('close', () => reject(new PlcFault(broke(where))))
    })
    // It is raced below; where nobody races at the moment it is no news.
    lost.catch(() => undefined)
    socket.on('error', () => undefined)
    const client = new modbus.default()
    client.on('error', () => undefined)
    await client.linkTCP(socket, { port: path.port })
    client.setID(path.unit)
    client.setTimeout(timeoutMs)
    line = { socket, client, lost }
    return line
  }

  const ask = async <T>(question: (client: Client) => Promise<T>): Promise<T> => {
    const { client, lost, socket } = line ?? (await open())
    const bytesBefore = socket.bytesRead
    try {
      return await Promise.race([question(client), lost])
    } catch (error) {
      const refused = (error as { modbusCode?: number }).modbusCode
      const isOver = socket.readableEnded || socket.destroyed
      if (refused === undefined) drop()
      if (error instanceof PlcFault) throw error
      // The end of a connection may be heard as a broken answer first.
      if (refused === undefined && isOver) throw new PlcFault(broke(where))
      const isMute = socket.bytesRead === bytesBefore
      throw new PlcFault(answerReason(where, path.unit, error, isMute), refused !== undefined)
    }
  }

  return {
    async read(blocks) {
      const words: (readonly number[])[] = []
      for (const { table, address, length } of blocks) {
        const { data } = await ask(client =>
          table === 'input'
            ? client.readInputRegisters(address, length)
            : client.readHoldingRegisters(address, length),
        )
        if (data.length !== length) {
          drop()
          throw new PlcFault(broken(where))
        }
        words.push(data)
      }
      return words
    },
    async write(address, word) {
      await ask(client => client.writeRegister(address, word))
    },
    close() {
      isClosed = true
      drop()
    },
  }
}

const connectReason = (where: string, error: Error): string => {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ECONNREFUSED') return `${where} refuses the connection: nothing listens there`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `the name in ${where} is not known`
  return `there is no way to ${where} (${code ?? error.message})`
}

const broke = (where: string): string => `${where} broke the connection`

const EXCEPTIONS: Readonly<Record<number, string>> = {
  1: 'does not know this function',
  2: 'has no such register',
  3: 'does not accept this value',
  4: 'has a fault of its own',
  6: 'is busy',
}

/** A half answer and one that is no Modbus look alike: something came, and it was no answer. */
const broken = (where: string): string => `${where} sends half or broken frames`

const answerReason = (where: string, unit: number, error: unknown, isMute: boolean): string => {
  const { modbusCode, name } = error as { modbusCode?: number; name?: string }
  if (modbusCode === 10 || modbusCode === 11) return `${where} knows no unit ${unit}`
  if (modbusCode !== undefined) {
    return `unit ${unit} at ${where} ${EXCEPTIONS[modbusCode] ?? `answers with exception ${modbusCode}`}`
  }
  if (isMute && name === 'TransactionTimedOutError') {
    return `unit ${unit} at ${where} is connected and does not answer (stopped, or a wrong unit id)`
  }
  return broken(where)
}
