// The process that the virtual PLC controls: a heated, stirred tank that is filled,
// heated, mixed and drained, batch after batch. It moves in fixed steps of a tenth of a
// second and draws its noise from a seed, so the same time gives the same values; it
// knows no clock, no network and no registers.

import { chanceOf } from './chance.js'

export const STEP_MS = 100
/** The states in the order in which a batch goes through them; their numbers are in register 2. */
export const STATES = ['idle', 'fill', 'heat', 'mix', 'drain'] as const
export type BatchState = (typeof STATES)[number]

export interface Setpoints {
  /** Percent. */
  level: number
  /** Degrees Celsius. */
  temperature: number
  mixSeconds: number
  run: boolean
}

export interface Alarms {
  readonly overTemperature: boolean
  readonly highLevel: boolean
}

const AMBIENT = 20
const IDLE_SECONDS = 3

export class BatchProcess {
  level = 2
  temperature = AMBIENT
  agitatorRpm = 0
  state: BatchState = 'idle'
  batches = 0
  steps = 0
  readonly setpoints: Setpoints = { level: 80, temperature: 65, mixSeconds: 8, run: true }
  readonly #chance: () => number
  #inState = 0

  constructor(seed: number) {
    this.#chance = chanceOf(seed)
  }

  get valves(): { readonly inlet: boolean; readonly outlet: boolean; readonly heater: boolean } {
    return {
      inlet: this.state === 'fill',
      outlet: this.state === 'drain',
      heater:
        (this.state === 'heat' || this.state === 'mix') && this.temperature < this.setpoints.temperature,
    }
  }

  /** What the PLC itself finds alarming, whatever a gateway thinks. */
  get alarms(): Alarms {
    return { overTemperature: this.temperature > 90, highLevel: this.level > 95 }
  }

  /** One tenth of a second. */
  step(): void {
    const seconds = STEP_MS / 1_000
    this.steps += 1
    this.#inState += seconds
    const { inlet, outlet, heater } = this.valves
    const noise = (): number => this.#chance() - 0.5
    if (inlet) this.level += (4 + noise()) * seconds
    if (outlet) this.level -= (6 + noise()) * seconds
    if (heater) this.temperature += (2.5 + noise()) * seconds
    // Cold water comes in, and the tank loses heat to the hall.
    if (inlet && this.level > 1) this.temperature -= ((this.temperature - AMBIENT) * 4 * seconds) / this.level
    this.temperature += (AMBIENT - this.temperature) * 0.004 * seconds + noise() * 0.02
    this.agitatorRpm = this.state === 'mix' ? 120 + noise() * 4 : 0
    this.level = Math.min(100, Math.max(0, this.level))
    this.#move()
  }

  #move(): void {
    const { setpoints } = this
    if (this.state === 'idle' && setpoints.run && this.#inState >= IDLE_SECONDS) this.#go('fill')
    else if (this.state === 'fill' && this.level >= setpoints.level) this.#go('heat')
    else if (this.state === 'heat' && this.temperature >= setpoints.temperature) this.#go('mix')
    else if (this.state === 'mix' && this.#inState >= setpoints.mixSeconds) this.#go('drain')
    else if (this.state === 'drain' && this.level <= 2) {
      this.batches += 1
      this.#go('idle')
    }
  }

  #go(state: BatchState): void {
    this.state = state
    this.#inState = 0
  }
}
