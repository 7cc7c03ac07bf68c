// A PLC that is not there: a Modbus TCP server with the batch process behind it, and
// with every fault that a real one shows sooner or later, to order. The process follows
// the clock only when somebody reads, in whole steps, so it needs no timer and idles
// for free.
//
//   node dist/devices/virtual/plc.js --port 5020 [--host 127.0.0.1] [--unit 1] [--seed 1] [--speed 1]
//
// A line on its standard input orders a fault: its name, or `none`.

import type { AddressInfo, Server } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type IServiceVector, ServerTCP } from 'modbus-serial'
import { BatchProcess, STEP_MS } from './batch-process.js'
import { chanceOf } from './chance.js'
import { runMachine } from './command.js'
import { holdingRegisters, inputRegisters, writeHolding } from './registers.js'

export const PLC_FAULTS = [
  'none',
  /** Takes requests and never answers. */
  'silent',
  /** Answers after `slowMs`. */
  'slow',
  /** Well-formed answers full of nonsense. */
  'garbage-values',
  /** Answers that are no Modbus. */
  'garbage-frames',
  /** Breaks the connection instead of answering. */
  'reset',
  /** Sends half an answer and then nothing. */
  'stall',
  /** Does not listen. */
  'refuse',
  /** Is not the unit that is asked for: exception 11, as a gateway to a serial line says it. */
  'wrong-unit',
  /** Is read, and refuses every write: exception 3. */
  'read-only',
] as const
export type PlcFault = (typeof PLC_FAULTS)[number]

export interface VirtualPlcOptions {
  /** 0 picks a free one. */
  readonly port?: number
  readonly host?: string
  readonly unit?: number
  readonly seed?: number
  /** Process seconds for each second of the clock. */
  readonly speed?: number
  readonly slowMs?: number
  /** Milliseconds of the clock; a test gives its own. */
  readonly now?: () => number
}

export interface VirtualPlc {
  readonly port: number
  readonly tank: BatchProcess
  /** How many read requests it has answered or spoilt. */
  readonly reads: number
  fault(fault: PlcFault): Promise<void>
  close(): Promise<void>
}

/** Beyond this the process is not caught up step by step: nobody looked for a day. */
const CATCH_UP_STEPS_MAX = 864_000
const exception = (code: number): Error =>
  Object.assign(new Error(`exception ${code}`), { modbusErrorCode: code })

export const createVirtualPlc = async (options: VirtualPlcOptions = {}): Promise<VirtualPlc> => {
  const { host = '127.0.0.1', unit = 1, seed = 1, speed = 1, slowMs = 3_000, now = Date.now } = options
  const tank = new BatchProcess(seed)
  const nonsense = chanceOf(seed + 1)
  let port = options.port ?? 0
  let server: ServerTCP | null = null
  let fault: PlcFault = 'none'
  let reads = 0
  let steppedTo = now()

  const catchUp = (): void => {
    const due = Math.min(CATCH_UP_STEPS_MAX, Math.floor(((now() - steppedTo) * speed) / STEP_MS))
    for (let step = 0; step < due; step += 1) tank.step()
    steppedTo += (due * STEP_MS) / speed
  }

  /** Bytes that come instead of the answer, to everybody who is connected. */
  const spoil = (bytes: Uint8Array): void => {
    for (const socket of server?.socks.keys() ?? []) socket.write(bytes)
  }

  const never = (): Promise<never> => new Promise<never>(() => {})

  const answer = async (
    words: () => readonly number[],
    address: number,
    length: number,
    unitId: number,
  ): Promise<number[]> => {
    reads += 1
    catchUp()
    if (fault === 'wrong-unit' || unitId !== unit) throw exception(11)
    if (fault === 'silent') return never()
    if (fault === 'slow') await new Promise(resolve => setTimeout(resolve, slowMs))
    if (fault === 'reset') {
      for (const socket of server?.socks.keys() ?? []) socket.resetAndDestroy()
      return never()
    }
    if (fault === 'stall') {
      // The header promises more than ever comes.
      spoil(Uint8Array.from([0, 1, 0, 0, 0, 3 + length * 2, unit, 4, length * 2, 0]))
      return never()
    }
    if (fault === 'garbage-frames') {
      spoil(Uint8Array.from([0, 1, 0, 0, 0, 9, ...Array.from({ length: 9 }, () => nonsense() * 256)]))
      return never()
    }
    const all = words()
    if (address + length > all.length) throw exception(2)
    const asked = all.slice(address, address + length)
    return fault === 'garbage-values' ? asked.map(() => Math.floor(nonsense() * 65_536)) : asked
  }

  type Words = (tank: BatchProcess) => readonly number[]
  type Many = (error: Error | null, words: number[]) => void
  type One = (error: Error | null, word: number) => void
  // The server asks for single words and for several in different ways, and of the ways
  // to answer later it knows the callback in both.
  const many = (words: Words) => (address: number, length: number, unitId: number, done: Many) =>
    void answer(() => words(tank), address, length, unitId).then(
      asked => done(null, asked),
      (error: Error) => done(error, []),
    )
  const one = (words: Words) => (address: number, unitId: number, done: One) =>
    void answer(() => words(tank), address, 1, unitId).then(
      asked => done(null, asked[0] ?? 0),
      (error: Error) => done(error, 0),
    )

  const vector: IServiceVector = {
    getMultipleInputRegisters: many(inputRegisters),
    getMultipleHoldingRegisters: many(holdingRegisters),
    getInputRegister: one(inputRegisters),
    getHoldingRegister: one(holdingRegisters),
    setRegister: async (address: number, value: number, unitId: number) => {
      catchUp()
      if (fault === 'wrong-unit' || unitId !== unit) throw exception(11)
      if (fault === 'silent' || fault === 'stall') return never()
      if (fault === 'read-only') throw exception(3)
      const code = writeHolding(tank, address, value)
      if (code !== 0) throw exception(code)
    },
  }

  const listen = async (): Promise<void> => {
    // Its own check of the unit id leaves a stranger without an answer, hence 255: all.
    // A port of 0 would become 502, its default; as a text it stays what was meant.
    const made = new ServerTCP(vector, { host, port: String(port) as unknown as number, unitID: 255 })
    made.on('socketError', () => {})
    await new Promise<void>((resolve, reject) => {
      made.on('initialized', () => resolve())
      made.on('serverError', error => reject(error ?? new Error('it could not listen')))
    })
    port = ((made as unknown as { readonly _server: Server })._server.address() as AddressInfo).port
    server = made
  }

  const unlisten = async (): Promise<void> => {
    const old = server
    server = null
    if (old !== null) await new Promise<void>(resolve => old.close(() => resolve()))
  }

  await listen()
  return {
    get port() {
      return port
    },
    get reads() {
      return reads
    },
    tank,
    async fault(next) {
      fault = next
      if (next === 'refuse') await unlisten()
      else if (server === null) await listen()
    },
    close: unlisten,
  }
}

const main = (): Promise<void> =>
  runMachine(
    'plc.js',
    {
      port: { default: 5020, from: 0, to: 65_535, says: 'a TCP port, 0 picks a free one' },
      host: { default: '127.0.0.1', pattern: /^\S+$/, says: 'an address of this machine' },
      unit: { default: 1, from: 0, to: 255, says: 'a Modbus unit' },
      seed: { default: 1, from: 0, to: 2 ** 31, says: 'a number: the same seed, the same values' },
      speed: { default: 1, from: 0.01, to: 10_000, says: 'process seconds for each second' },
    },
    async values => {
      const plc = await createVirtualPlc(values)
      process.stdout.write(`virtual plc: unit ${values.unit} on ${values.host}:${plc.port}\n`)
      return async line => {
        const asked = PLC_FAULTS.find(known => known === line)
        if (asked === undefined) return `faults are ${PLC_FAULTS.join(', ')}`
        await plc.fault(asked)
        return `fault: ${asked}`
      }
    },
  )

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
