// How this machine and this process are doing: processor, memory, disk, event loop and
// temperature, sampled every few seconds and told as levels of health. The thresholds
// stand here by name. A level rises when it was seen twice in a row, so that a compile
// run is no illness, and falls after half a minute of calm, so that nobody flaps.
//
// It measures and tells; what follows from a level (a failing node gets no tasks) is
// decided elsewhere. What a machine cannot say (no thermal zone, no /proc) is left out.

import { readdir, readFile, statfs } from 'node:fs/promises'
import { cpus } from 'node:os'
import type { Millis } from '../../core/ids.js'
import type { Health } from '../../core/member.js'
import { type LoopLag, startLoopLagMeter } from './loop-lag.js'

export const VITALS_INTERVAL_MS: Millis = 5_000
const RISE_SAMPLES = 2
const CALM_SAMPLES = 6

/** From where on something is wrong; a threshold that is null never says `failing`. */
export const VITALS = Object.freeze({
  /** Share of all processors in use. Busy is not ill: a gateway may compute at its limit. */
  cpu: { strained: 0.95, failing: null },
  /** Share of memory in use, of the machine's or of the control group's, whichever is nearer its end. */
  memory: { strained: 0.93, failing: 0.98 },
  /** Share of the data folder's disk in use, and free bytes from which on that does not matter. */
  disk: { strained: 0.95, failing: 0.99, enoughBytes: 2 ** 31 },
  /** The 99th percentile of how late the event loop ran. Peers take a node for dead after seconds. */
  lagMs: { strained: 200, failing: 1_500 },
  /** Where a Raspberry Pi throttles (80 °C), and where boards shut down. */
  celsius: { strained: 80, failing: 95 },
})

/** One sample; null where this machine cannot say. */
export interface Vitals {
  readonly cpuShare: number | null
  readonly memoryShare: number | null
  readonly diskShare: number | null
  readonly diskFreeBytes: number | null
  readonly lag: LoopLag
  readonly celsius: number | null
}

export interface VitalsOptions {
  readonly dataDir: string | null
  readonly report: (source: string, level: Health, reason: string) => void
  /** A test brings its own samples. */
  readonly sample?: () => Promise<Vitals>
}

export interface VitalsMeter {
  readonly latest: Vitals | null
  /** Takes a sample now; the timer does it by itself. */
  look(): Promise<void>
  stop(): void
}

interface Reading {
  readonly source: string
  readonly level: Health
  readonly reason: string
}

const RANK: Readonly<Record<Health, number>> = { ok: 0, strained: 1, failing: 2 }

const grade = (
  source: string,
  value: number | null,
  limits: { readonly strained: number; readonly failing: number | null },
  show: (value: number) => string,
): Reading => {
  if (value === null || value < limits.strained) return { source, level: 'ok', reason: '' }
  const level = limits.failing !== null && value >= limits.failing ? 'failing' : 'strained'
  return { source, level, reason: show(value) }
}

const percent = (share: number): string => `${Math.round(share * 100)} %`

/** What a sample says, source by source. */
export const readVitals = (vitals: Vitals): readonly Reading[] => {
  const hasRoom = (vitals.diskFreeBytes ?? 0) >= VITALS.disk.enoughBytes
  return [
    grade('cpu', vitals.cpuShare, VITALS.cpu, share => `processors are busy (${percent(share)})`),
    grade('memory', vitals.memoryShare, VITALS.memory, share => `memory is nearly full (${percent(share)})`),
    grade(
      'disk',
      hasRoom ? null : vitals.diskShare,
      VITALS.disk,
      share => `disk is nearly full (${percent(share)})`,
    ),
    grade('event loop', vitals.lag.p99Ms, VITALS.lagMs, ms => `event loop runs ${Math.round(ms)} ms late`),
    grade('temperature', vitals.celsius, VITALS.celsius, degrees => `${Math.round(degrees)} °C`),
  ]
}

/** Turns readings into reports: up after `RISE_SAMPLES`, down after `CALM_SAMPLES`, and only when something changed. */
export const createLevels = (report: VitalsOptions['report']): ((readings: readonly Reading[]) => void) => {
  const known = new Map<string, { level: Health; higher: number; lower: number }>()
  return readings => {
    for (const { source, level, reason } of readings) {
      const held = known.get(source) ?? { level: 'ok' as Health, higher: 0, lower: 0 }
      known.set(source, held)
      held.higher = RANK[level] > RANK[held.level] ? held.higher + 1 : 0
      held.lower = RANK[level] < RANK[held.level] ? held.lower + 1 : 0
      if (held.higher < RISE_SAMPLES && held.lower < CALM_SAMPLES) continue
      held.level = level
      held.higher = 0
      held.lower = 0
      report(source, level, reason)
    }
  }
}

export const startVitals = ({ dataDir, report, sample }: VitalsOptions): VitalsMeter => {
  const lag = startLoopLagMeter()
  const cpu = createCpuMeter()
  const levels = createLevels(report)
  let latest: Vitals | null = null
  let stopped = false
  const take =
    sample ??
    (async (): Promise<Vitals> => {
      const disk = dataDir === null ? null : await readDisk(dataDir)
      return {
        cpuShare: cpu(),
        memoryShare: await readMemory(),
        diskShare: disk?.share ?? null,
        diskFreeBytes: disk?.freeBytes ?? null,
        lag: lag.take(),
        celsius: await readTemperature(),
      }
    })
  const look = async (): Promise<void> => {
    const vitals = await take()
    if (stopped) return
    latest = vitals
    levels(readVitals(vitals))
  }
  const timer = setInterval(() => void look(), VITALS_INTERVAL_MS).unref()
  return {
    get latest() {
      return latest
    },
    look,
    stop() {
      stopped = true
      clearInterval(timer)
      lag.stop()
    },
  }
}

/** Share of all processors in use since the last call. */
const createCpuMeter = (): (() => number | null) => {
  const sum = (): { readonly busy: number; readonly all: number } => {
    let idle = 0
    let all = 0
    for (const { times } of cpus()) {
      idle += times.idle
      all += times.idle + times.user + times.nice + times.sys + times.irq
    }
    return { busy: all - idle, all }
  }
  let before = sum()
  return () => {
    const now = sum()
    const passed = now.all - before.all
    const share = passed <= 0 ? null : (now.busy - before.busy) / passed
    before = now
    return share
  }
}

const readMemory = async (): Promise<number | null> => {
  const machine = await orNull(async () => {
    const text = await readFile('/proc/meminfo', 'utf8')
    const kilobytes = (name: string): number =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1])
    return 1 - kilobytes('MemAvailable') / kilobytes('MemTotal')
  })
  const limit = process.constrainedMemory() ?? 0
  // Without a limit the kernel gives 0 or a number beyond any machine.
  const group = limit > 0 && limit < 2 ** 50 ? process.memoryUsage.rss() / limit : null
  const shares = [machine, group].filter(share => share !== null && Number.isFinite(share)) as number[]
  return shares.length === 0 ? null : Math.max(...shares)
}

const readDisk = (folder: string): Promise<{ readonly share: number; readonly freeBytes: number } | null> =>
  orNull(async () => {
    const { bavail, blocks, bsize } = await statfs(folder)
    return { share: blocks === 0 ? 0 : 1 - bavail / blocks, freeBytes: bavail * bsize }
  })

const THERMAL = '/sys/class/thermal'

/** The warmest zone. */
const readTemperature = (): Promise<number | null> =>
  orNull(async () => {
    const zones = (await readdir(THERMAL)).filter(name => name.startsWith('thermal_zone')).slice(0, 16)
    const read = await Promise.all(
      zones.map(zone => orNull(() => readFile(`${THERMAL}/${zone}/temp`, 'utf8'))),
    )
    const degrees = read.map(text => Number(text ?? Number.NaN) / 1_000).filter(Number.isFinite)
    return degrees.length === 0 ? null : Math.max(...degrees)
  })

const orNull = async <T>(read: () => Promise<T>): Promise<T | null> => {
  try {
    return await read()
  } catch {
    // This machine cannot say.
    return null
  }
}
