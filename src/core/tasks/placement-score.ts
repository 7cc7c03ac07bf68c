// How near a member stands to a slot of a task. Integers only, so that every engine
// decides alike; no two tasks order the members alike, so that each loss is shared by all.
//
// For every task the members stand on a ring of 2³² places, each where the hash of
// (task, member) puts it, and slot k stands at a fixed point: 0, 1/2, 1/4, 3/4, 1/8 …
// of the ring (k with its bits reversed). A slot belongs to the nearest member. With one
// slot this is rendezvous hashing (Thaler & Ravishankar 1998) that takes the least hash
// instead of the greatest. With two, the order seen from the second point is exactly the
// reverse of that from the first, so that the slots meet only when a single member is
// left; with more they meet only when members are few. `placement.ts` says why that matters.

import { hashText } from '../hash.js'
import { compareText, type NodeId } from '../ids.js'

/** Where a member's id starts; joined with a task's by `placeOf`. */
export const memberSeed = (id: NodeId): number => hashText(id, 0x6d656d62) | 0
export const taskSeed = (id: string): number => hashText(id, 0x7461736b) | 0

/** A member's place on the task's ring, as a signed 32-bit integer (lowbias32, Chris Wellons). */
export const placeOf = (task: number, member: number): number => {
  let x = task ^ member
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d)
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b)
  return x ^ (x >>> 16)
}

/** Where a slot stands: its number with the bits reversed, as a signed 32-bit integer. */
export const slotPoint = (slot: number): number => {
  let x = slot | 0
  x = ((x >>> 1) & 0x55555555) | ((x & 0x55555555) << 1)
  x = ((x >>> 2) & 0x33333333) | ((x & 0x33333333) << 2)
  x = ((x >>> 4) & 0x0f0f0f0f) | ((x & 0x0f0f0f0f) << 4)
  x = ((x >>> 8) & 0x00ff00ff) | ((x & 0x00ff00ff) << 8)
  return (x >>> 16) | (x << 16)
}

/** How far two places are apart on the ring: 0 … 2³¹−1, folded so that opposite points see exactly reversed orders. */
export const distance = (place: number, point: number): number => {
  const apart = (place - point) | 0
  return apart ^ (apart >> 31)
}

/** The position in `seeds` of the member nearest to slot 0, the first of equals, or −1. The one loop that runs ten million times in a big mesh. */
export const nearestToZero = (task: number, seeds: Int32Array, length: number): number => {
  let least = 0x7fffffff
  let at = length > 0 ? 0 : -1
  for (let i = 0; i < length; i++) {
    let x = task ^ (seeds[i] as number)
    x = Math.imul(x ^ (x >>> 16), 0x7feb352d)
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b)
    x ^= x >>> 16
    x ^= x >> 31
    if (x < least) {
      least = x
      at = i
    }
  }
  return at
}

/** How many slots `survey` finds the nearest member for. */
export const SURVEYED_MAX = 4

/**
 * Writes every member's place into `places`, and the position of the one that is nearest to each of the
 * first slots into `nearest`, the first of equals. Slots 0 and 1, and 2 and 3, stand at opposite points:
 * who is nearest to the one is farthest from the other, so that two numbers tell of four slots.
 */
export const survey = (
  task: number,
  seeds: Int32Array,
  length: number,
  count: number,
  places: Int32Array,
  nearest: Int32Array,
): void => {
  let least = 0x7fffffff
  let most = -1
  let at0 = length > 0 ? 0 : -1
  let at1 = at0
  for (let i = 0; i < length; i++) {
    let x = task ^ (seeds[i] as number)
    x = Math.imul(x ^ (x >>> 16), 0x7feb352d)
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b)
    x ^= x >>> 16
    places[i] = x
    x ^= x >> 31
    if (x < least) {
      least = x
      at0 = i
    }
    if (x > most) {
      most = x
      at1 = i
    }
  }
  nearest[0] = at0
  nearest[1] = at1
  if (count < 3) return
  const point = slotPoint(2)
  least = 0x7fffffff
  most = -1
  at0 = length > 0 ? 0 : -1
  at1 = at0
  if (count === 3) {
    for (let i = 0; i < length; i++) {
      let x = ((places[i] as number) - point) | 0
      x ^= x >> 31
      if (x < least) {
        least = x
        at0 = i
      }
    }
    nearest[2] = at0
    return
  }
  for (let i = 0; i < length; i++) {
    let x = ((places[i] as number) - point) | 0
    x ^= x >> 31
    if (x < least) {
      least = x
      at0 = i
    }
    if (x > most) {
      most = x
      at1 = i
    }
  }
  nearest[2] = at0
  nearest[3] = at1
}

/** An edge between a slot and a member, as far as the order of edges needs it. */
export interface Edge {
  readonly apart: number
  readonly member: NodeId
  readonly task: string
  readonly slot: number
}

/** The one order of everything: nearer first, then the smaller member, task and slot. */
export const compareEdges = (a: Edge, b: Edge): number =>
  a.apart - b.apart || compareText(a.member, b.member) || compareText(a.task, b.task) || a.slot - b.slot
