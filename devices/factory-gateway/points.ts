// Between the words of a PLC and the values of the plant: which blocks to read, and what
// the words mean. Pure; a reading outside its range is no value (`null`), because garbage
// in a register looks like a number and is none.

import type { Point } from './settings.js'

export type Points = Readonly<Record<string, Point>>
export type Values = Readonly<Record<string, number | null>>

export interface Block {
  readonly table: 'input' | 'holding'
  readonly address: number
  readonly length: number
}

/** A Modbus answer carries 125 words at most. */
const WORDS_MAX = 125
/** Reading a few words that nobody asked for is cheaper than another round trip. */
const HOLE_MAX = 16

const wordsOf = ({ type }: Point): number => (type === 'u16' || type === 'i16' ? 1 : 2)

/** The fewest reads that cover all points. */
export const blocksOf = (points: Points): readonly Block[] => {
  const blocks: Block[] = []
  const sorted = Object.values(points).sort((a, b) => a.table.localeCompare(b.table) || a.address - b.address)
  for (const point of sorted) {
    const last = blocks.at(-1)
    const end = point.address + wordsOf(point)
    const joins =
      last !== undefined &&
      last.table === point.table &&
      point.address <= last.address + last.length + HOLE_MAX &&
      end - last.address <= WORDS_MAX
    if (joins) {
      blocks[blocks.length - 1] = { ...last, length: Math.max(last.length, end - last.address) }
    } else blocks.push({ table: point.table, address: point.address, length: wordsOf(point) })
  }
  return blocks
}

const rawOf = (point: Point, words: readonly number[]): number => {
  const bytes = new DataView(new ArrayBuffer(4))
  bytes.setUint16(0, words[0] ?? 0)
  bytes.setUint16(2, words[1] ?? 0)
  if (point.type === 'u16') return bytes.getUint16(0)
  if (point.type === 'i16') return bytes.getInt16(0)
  if (point.type === 'u32') return bytes.getUint32(0)
  return point.type === 'i32' ? bytes.getInt32(0) : bytes.getFloat32(0)
}

/** Twelve digits: what a scale of 0.1 adds behind them is not in the PLC. */
const tidy = (value: number): number => Number(value.toPrecision(12))

/** The values of all points, from the words of the blocks that were read. */
export const valuesOf = (
  points: Points,
  blocks: readonly Block[],
  words: readonly (readonly number[])[],
): Values => {
  const values: Record<string, number | null> = {}
  for (const [key, point] of Object.entries(points)) {
    const index = blocks.findIndex(
      block =>
        block.table === point.table &&
        point.address >= block.address &&
        point.address + wordsOf(point) <= block.address + block.length,
    )
    const from = point.address - (blocks[index]?.address ?? 0)
    const value = tidy(rawOf(point, (words[index] ?? []).slice(from)) * point.scale + point.offset)
    values[key] = Number.isFinite(value) && value >= point.min && value <= point.max ? value : null
  }
  return values
}

/** The word that makes a setpoint this value, or null when it cannot hold it. */
export const wordOf = (point: Point, value: number): number | null => {
  const raw = Math.round((value - point.offset) / point.scale)
  const [min, max] = point.type === 'i16' ? [-32_768, 32_767] : [0, 65_535]
  if (!(value >= point.min && value <= point.max && raw >= min && raw <= max)) return null
  return raw & 0xffff
}
