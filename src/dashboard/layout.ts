// Where each member stands in the drawing: d3-force pulls apart and together, this file
// decides what is tied to what, how large things are and how the result fills the frame.
// It computes only while something is unsettled, and starts each member where the last
// drawing had it, so that a change moves little.

import {
  forceCollide,
  forceLink,
  forceManyBody,
  forceSimulation,
  forceX,
  forceY,
  type Simulation,
} from 'd3-force'
import type { Member } from './model.js'

export interface Body {
  readonly id: string
  readonly group: string
  x?: number
  y?: number
}

export interface Link {
  readonly source: string
  readonly target: string
}

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Frame {
  readonly width: number
  readonly height: number
}

/** Observers and subjects, each pair once, between members that are known. */
export const linksOf = (members: ReadonlyMap<string, Member>): Link[] => {
  const links = new Map<string, Link>()
  for (const member of [...members.values()].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    for (const observer of member.observers) {
      if (observer === member.id || !members.has(observer)) continue
      const [source, target] = observer < member.id ? [observer, member.id] : [member.id, observer]
      links.set(`${source} ${target}`, { source, target })
    }
  }
  return [...links.values()]
}

/** Labels worth grouping by: at least two values, and few enough to tell apart. */
export const groupLabels = (members: Iterable<Member>): string[] => {
  const values = new Map<string, Set<string>>()
  let total = 0
  for (const { labels } of members) {
    total++
    for (const [label, value] of Object.entries(labels ?? {})) {
      const seen = values.get(label) ?? new Set()
      seen.add(value)
      values.set(label, seen)
    }
  }
  return [...values]
    .filter(([, seen]) => seen.size > 1 && seen.size <= 16 && seen.size < total)
    .map(([label]) => label)
    .sort()
}

/** Half the height of a member's sign, in pixels: as large as the frame can bear. */
export const radiusFor = (count: number, { width, height }: Frame): number => {
  const area = (width * height) / Math.max(1, count)
  return Math.round(Math.min(22, Math.max(4.5, Math.sqrt(area) * 0.16)) * 2) / 2
}

/** Centres of the groups on a grid with the frame's proportions, by name. */
export const groupCentres = (groups: readonly string[], frame: Frame): ReadonlyMap<string, Point> => {
  const names = [...new Set(groups)].sort()
  const columns = Math.max(1, Math.round(Math.sqrt((names.length * frame.width) / frame.height)))
  const rows = Math.ceil(names.length / columns)
  return new Map(
    names.map((name, i) => {
      const row = Math.floor(i / columns)
      const inRow = Math.min(columns, names.length - row * columns)
      return [
        name,
        {
          x: (((i % columns) + 0.5) / inRow - 0.5) * frame.width,
          y: ((row + 0.5) / rows - 0.5) * frame.height,
        },
      ]
    }),
  )
}

/** Moves and scales positions into the frame; at most this much larger than computed. */
export const fitInto = (
  positions: ReadonlyMap<string, Point>,
  frame: Frame,
  margin: { readonly x: number; readonly top: number; readonly bottom: number },
): ReadonlyMap<string, Point> => {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity]
  for (const { x, y } of positions.values()) {
    left = Math.min(left, x)
    right = Math.max(right, x)
    top = Math.min(top, y)
    bottom = Math.max(bottom, y)
  }
  const width = Math.max(1, frame.width - 2 * margin.x)
  const height = Math.max(1, frame.height - margin.top - margin.bottom)
  const scaleX = right > left ? width / (right - left) : 1
  const scaleY = bottom > top ? height / (bottom - top) : 1
  // Different scales per axis use the frame better; too different ones distort.
  const sx = Math.min(scaleX, scaleY * 1.7)
  const sy = Math.min(scaleY, scaleX * 1.7)
  const [cx, cy] = [(left + right) / 2, (top + bottom) / 2]
  const fitted = new Map<string, Point>()
  for (const [id, { x, y }] of positions)
    fitted.set(id, {
      x: frame.width / 2 + (x - cx) * sx,
      y: margin.top + height / 2 + (y - cy) * sy,
    })
  return fitted
}

const SETTLED_ALPHA = 0.03

export interface Layout {
  /** New members, ties or frame; how much is unsettled follows from how much changed. */
  update(bodies: readonly Body[], links: readonly Link[], frame: Frame, isGrouped: boolean): void
  /** Computes for this long at most; false when there is nothing left to do. */
  step(budgetMs: number, now: () => number): boolean
  positions(): ReadonlyMap<string, Point>
}

export const createLayout = (): Layout => {
  let simulation: Simulation<Body> | null = null
  let shape = ''
  return {
    update(bodies, links, frame, isGrouped) {
      const old = new Map((simulation?.nodes() ?? []).map(body => [body.id, body]))
      const isSmall = bodies.length <= 12
      const next = `${isGrouped} ${Math.round(frame.width / 40)} ${Math.round(frame.height / 40)}`
      const fresh = bodies.filter(({ id }) => !old.has(id)).length
      const gone = [...old.keys()].filter(id => !bodies.some(body => body.id === id)).length
      const regrouped = bodies.some(({ id, group }) => old.has(id) && old.get(id)?.group !== group)
      const isOther = simulation === null || next !== shape || regrouped
      shape = next
      const centres = groupCentres(
        bodies.map(({ group }) => group),
        frame,
      )
      const placed = bodies.map(body => {
        const before = old.get(body.id)
        return before?.x === undefined ? { ...body } : { ...body, x: before.x, y: before.y as number }
      })
      const aspect = frame.width / frame.height
      const apart = Math.sqrt((frame.width * frame.height) / Math.max(1, bodies.length))
      const centreOf = (body: Body): Point => (isGrouped ? (centres.get(body.group) ?? ORIGIN) : ORIGIN)
      const pull = isGrouped ? 0.22 : 0.06
      simulation = forceSimulation<Body>(placed)
        .stop()
        .alpha(isOther ? 1 : fresh > 0 ? 0.4 : gone > 0 ? 0.15 : 0)
        .alphaDecay(0.03)
        .force(
          'link',
          forceLink<Body>(links.map(link => ({ ...link })))
            .id(body => body.id)
            .distance(apart * (isSmall ? 1.1 : 0.9))
            .strength(isGrouped ? 0.002 : isSmall ? 0.08 : 0.02),
        )
        .force(
          'charge',
          forceManyBody()
            .strength(isGrouped ? -apart * 0.5 : -apart * 3)
            .distanceMax(apart * 6),
        )
        .force('collide', forceCollide(apart * (isGrouped ? 0.34 : 0.45)).iterations(2))
        .force('x', forceX<Body>(body => centreOf(body).x).strength(pull / Math.max(1, aspect * 0.8)))
        .force('y', forceY<Body>(body => centreOf(body).y).strength(pull * Math.max(1, aspect * 0.8)))
    },
    step(budgetMs, now) {
      if (simulation === null || simulation.alpha() < SETTLED_ALPHA) return false
      const until = now() + budgetMs
      do simulation.tick()
      while (simulation.alpha() >= SETTLED_ALPHA && now() < until)
      return simulation.alpha() >= SETTLED_ALPHA
    },
    positions() {
      const points = new Map<string, Point>()
      for (const { id, x = 0, y = 0 } of simulation?.nodes() ?? []) points.set(id, { x, y })
      return points
    },
  }
}

const ORIGIN: Point = { x: 0, y: 0 }
