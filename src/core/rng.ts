// Chance for the core: seeded, so that a run can be told again from its seed.
// sfc32 (Chris Doty-Humphrey, PractRand): 128 bits of state, integers only.

import { avalanche } from './hash.js'

export interface Rng {
  /** 32 random bits, 0 … 2³²−1. */
  u32(): number
  /** A whole number, 0 … below−1. */
  below(limit: number): number
  /** A fraction, 0 ≤ x < 1. */
  fraction(): number
  /** A length between `base × (1 − spread)` and `base × (1 + spread)`, rounded. */
  jitter(base: number, spread: number): number
  /** One of the items; the list must not be empty. */
  pick<T>(items: readonly T[]): T
  /** The items in random order, as a new list. */
  shuffle<T>(items: readonly T[]): T[]
  /** A generator of its own, so that one user's draws do not shift another's. */
  fork(salt: number): Rng
}

export const createRng = (seed: number): Rng => {
  let a = avalanche(seed ^ 0x9e3779b9) | 0
  let b = avalanche(a ^ 0x243f6a88) | 0
  let c = avalanche(b ^ Math.floor(seed / 0x1_0000_0000)) | 0
  let counter = 1

  const u32 = (): number => {
    const t = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + t
    c |= 0
    return t >>> 0
  }
  for (let i = 0; i < 12; i++) u32()

  const fraction = (): number => u32() / 0x1_0000_0000
  const below = (limit: number): number => Math.floor(fraction() * limit)
  return {
    u32,
    below,
    fraction,
    jitter: (base, spread) => Math.round(base * (1 + spread * (2 * fraction() - 1))),
    pick: items => items[below(items.length)] as (typeof items)[number],
    shuffle: items => {
      const out = items.slice()
      for (let i = out.length - 1; i > 0; i--) {
        const j = below(i + 1)
        const held = out[i] as (typeof out)[number]
        out[i] = out[j] as (typeof out)[number]
        out[j] = held
      }
      return out
    },
    fork: salt => createRng(avalanche(u32() ^ salt)),
  }
}
