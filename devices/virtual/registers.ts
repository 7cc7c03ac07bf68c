// The memory map of the virtual PLC, which README.md prints as a table. All values are
// unsigned 16-bit words; 32-bit counters take two, the high one first, as most PLCs do.

import { type BatchProcess, STATES } from './batch-process.js'

const bits = (...flags: readonly boolean[]): number =>
  flags.reduce((word, flag, index) => word | (flag ? 1 << index : 0), 0)
const tenths = (value: number): number => Math.min(65_535, Math.max(0, Math.round(value * 10)))
const high = (value: number): number => Math.floor(value / 65_536) % 65_536
const low = (value: number): number => value % 65_536

/** Function 4, read-only. */
export const inputRegisters = (tank: BatchProcess): readonly number[] => {
  const { valves, alarms } = tank
  const uptime = Math.floor(tank.steps / 10)
  return [
    tenths(tank.level),
    tenths(tank.temperature),
    STATES.indexOf(tank.state),
    Math.round(tank.agitatorRpm),
    bits(valves.inlet, valves.outlet, valves.heater),
    bits(alarms.overTemperature, alarms.highLevel),
    high(tank.batches),
    low(tank.batches),
    high(uptime),
    low(uptime),
    tank.steps % 65_536,
  ]
}

/** Functions 3, 6 and 16. */
export const holdingRegisters = ({ setpoints }: BatchProcess): readonly number[] => [
  tenths(setpoints.level),
  tenths(setpoints.temperature),
  setpoints.mixSeconds,
  setpoints.run ? 1 : 0,
]

/** What each holding register accepts; a PLC refuses the rest with exception 3. */
const SETTERS: readonly {
  readonly max: number
  readonly set: (tank: BatchProcess, word: number) => void
}[] = [
  { max: 1_000, set: ({ setpoints }, word) => Object.assign(setpoints, { level: word / 10 }) },
  { max: 1_200, set: ({ setpoints }, word) => Object.assign(setpoints, { temperature: word / 10 }) },
  { max: 3_600, set: ({ setpoints }, word) => Object.assign(setpoints, { mixSeconds: word }) },
  { max: 1, set: ({ setpoints }, word) => Object.assign(setpoints, { run: word === 1 }) },
]

/** Returns the Modbus exception code, or 0 when it was written. */
export const writeHolding = (tank: BatchProcess, address: number, word: number): number => {
  const setter = SETTERS[address]
  if (setter === undefined) return 2
  if (word > setter.max) return 3
  setter.set(tank, word)
  return 0
}
