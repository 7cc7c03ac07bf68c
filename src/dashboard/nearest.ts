// Where an arrow key leads from one member of the drawing.

import type { Point } from './layout.js'

const DIRECTIONS: Readonly<Record<string, Point>> = {
  ArrowRight: { x: 1, y: 0 },
  ArrowLeft: { x: -1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
}

/** The nearest member that way; what lies aside counts as farther. */
export const nearestTowards = (
  key: string,
  from: Point,
  points: ReadonlyMap<string, Point>,
): string | null => {
  const way = DIRECTIONS[key]
  if (way === undefined) return null
  let best: string | null = null
  let least = Number.POSITIVE_INFINITY
  for (const [id, { x, y }] of points) {
    const [dx, dy] = [x - from.x, y - from.y]
    const along = dx * way.x + dy * way.y
    if (along < 1) continue
    const aside = Math.abs(dx * way.y) + Math.abs(dy * way.x)
    if (along + aside * 3 < least) {
      least = along + aside * 3
      best = id
    }
  }
  return best
}
