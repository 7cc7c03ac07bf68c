// Chance that nobody can guess, from the operating system.

import { randomBytes } from 'node:crypto'
import type { Entropy } from '../../ports.js'

export const createEntropy = (): Entropy => ({
  // A plain array: Buffers of this size share one pool with whatever else the process reads.
  bytes: length => Uint8Array.from(randomBytes(length)),
})
