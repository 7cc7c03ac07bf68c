// When an alarm is on. With hysteresis, so that a value at its limit does not raise it a
// hundred times, and with a memory that can be handed over: whoever polls next knows what
// was raised, so it is raised once. Pure.

import type { AlarmRule } from './settings.js'

export interface AlarmState {
  readonly active: boolean
  /** Names this change for ever: plc/alarm/number of the sample/raised or cleared. Receivers tell repeats by it. */
  readonly id: string
  readonly sample: number
  readonly at: number
  readonly value: number
}

export type AlarmStates = Readonly<Record<string, AlarmState>>

/** Whether the alarm is on after this value. A value that is not believed changes nothing. */
export const isActive = (rule: AlarmRule, wasActive: boolean, value: number | null): boolean => {
  if (value === null) return wasActive
  const excess = rule.kind === 'above' ? value - rule.limit : rule.limit - value
  return wasActive ? excess > -rule.hysteresis : excess > 0
}

/** The alarms that change with this sample. */
export const changedAlarms = (
  plc: string,
  rules: Readonly<Record<string, AlarmRule>>,
  states: AlarmStates,
  values: Readonly<Record<string, number | null>>,
  sample: number,
  at: number,
): AlarmStates => {
  const changed: Record<string, AlarmState> = {}
  for (const [key, rule] of Object.entries(rules)) {
    const value = values[rule.point] ?? null
    const was = states[key]?.active ?? false
    const active = isActive(rule, was, value)
    if (value === null || active === was) continue
    const id = `${plc}/${key}/${sample}/${active ? 'raised' : 'cleared'}`
    changed[key] = { active, id, sample, at, value }
  }
  return changed
}

/** What two sources remember, joined: of each alarm the later change. */
export const joinAlarms = (one: AlarmStates, other: AlarmStates): AlarmStates => {
  const joined: Record<string, AlarmState> = { ...one }
  for (const [key, state] of Object.entries(other)) {
    const known = joined[key]
    if (known === undefined || state.sample > known.sample) joined[key] = state
  }
  return joined
}
