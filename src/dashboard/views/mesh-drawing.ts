// The mesh as a drawing: a sign for each member, a line for each pair that watches, a dot
// for each copy of a task beside its member. Positions are written straight into the SVG,
// so that the page is not rendered again while the layout settles; when it has settled
// nothing runs. The tables say the same for those who cannot see it.

import { html } from 'htm/preact'
import type { VNode } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { createLayout, type Frame, fitInto, linksOf, type Point, radiusFor } from '../layout.js'
import { isHeld, type Member, type Task, type Verdict } from '../model.js'
import { nearestTowards } from '../nearest.js'
import type { State } from '../session.js'
import { memberHref, nameOf, verdictMark, verdictPath } from './parts.js'

const FRAME_BUDGET_MS = 6
/** Computed before the first drawing, so that the page opens calm. */
const FIRST_BUDGET_MS = 120
/** Names for everybody up to this many members; above, for those that need a look. */
const NAMES_MAX = 40
const DOTS_MAX = 600
const DOTS_PER_MEMBER_MAX = 12

interface Dot {
  readonly key: string
  readonly node: string
  readonly index: number
  readonly count: number
  readonly phase: string
}

const dotsOf = (tasks: ReadonlyMap<string, Task>): { dots: Dot[]; perNode: Map<string, number> } => {
  const perNode = new Map<string, number>()
  const found: { key: string; node: string; index: number; phase: string }[] = []
  for (const task of [...tasks.values()].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    for (const copy of task.copies) {
      if (!isHeld(copy) || copy.node === null) continue
      const index = perNode.get(copy.node) ?? 0
      perNode.set(copy.node, index + 1)
      if (index < DOTS_PER_MEMBER_MAX && found.length < DOTS_MAX)
        found.push({ key: `${task.id} ${copy.slot}`, node: copy.node, index, phase: copy.phase })
    }
  }
  const dots = found.map(dot => ({
    ...dot,
    count: Math.min(DOTS_PER_MEMBER_MAX, perNode.get(dot.node) ?? 1),
  }))
  const seen = new Set<string>()
  // Two copies in one slot happen while a task changes hands; keys stay unique.
  return { dots: dots.filter(({ key }) => !seen.has(key) && seen.add(key)), perNode }
}

export interface DrawingProps {
  readonly state: State
  readonly groupBy: string
}

export const MeshDrawing = ({ state, groupBy }: DrawingProps): VNode => {
  const { members, tasks } = state
  const box = useRef<HTMLDivElement>(null)
  const svg = useRef<SVGSVGElement>(null)
  const layout = useMemo(createLayout, [])
  const [frame, setFrame] = useState<Frame>({ width: 0, height: 0 })
  const [focus, setFocus] = useState<string | null>(null)
  const points = useRef<ReadonlyMap<string, Point>>(new Map())
  const running = useRef(0)

  useLayoutEffect(() => {
    const element = box.current
    if (element === null) return
    const measure = (): void => {
      const { width, height } = element.getBoundingClientRect()
      setFrame(old => (old.width === width && old.height === height ? old : { width, height }))
    }
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  const list = useMemo(() => [...members.values()].sort((a, b) => (a.id < b.id ? -1 : 1)), [members])
  const radius = radiusFor(list.length, frame)
  const { dots, perNode } = useMemo(() => dotsOf(tasks), [tasks])
  const links = useMemo(() => linksOf(members), [members])
  // The layout depends on who is there and who watches whom, not on how they are.
  const groupOf = (member: Member): string => (groupBy === '' ? '' : (member.labels?.[groupBy] ?? 'no label'))
  const shape = useMemo(
    () =>
      `${groupBy} ${list.map(member => member.id + groupOf(member)).join()} ${links.map(link => link.source + link.target).join()}`,
    [list, links, groupBy],
  )

  const place = (): void => {
    const root = svg.current
    if (root === null || frame.width === 0) return
    const isNamed = list.length <= NAMES_MAX
    const margin = {
      x: isNamed ? Math.max(radius * 2.4, 52) : radius * 2.2 + 6,
      top: groupBy === '' ? radius * 2 + 8 : radius * 2 + 26,
      bottom: isNamed ? radius * 2 + 24 : radius * 2 + 8,
    }
    const at = fitInto(layout.positions(), frame, margin)
    points.current = at
    const where = (id: string): Point => at.get(id) ?? { x: -100, y: -100 }
    for (const element of root.querySelectorAll<SVGGElement>('[data-member]')) {
      const { x, y } = where(element.dataset.member ?? '')
      write(element, 'transform', `translate(${x.toFixed(1)} ${y.toFixed(1)})`)
    }
    for (const element of root.querySelectorAll<SVGElement>('[data-name]')) {
      const { x, y } = where(element.dataset.name ?? '')
      const below = y + radius + dotRadius(radius) * 2 + 16
      // A name at the edge leans inwards.
      const half = (element.textContent?.length ?? 0) * 3.6
      const inside = Math.min(frame.width - half - 4, Math.max(half + 4, x))
      write(element, 'transform', `translate(${inside.toFixed(1)} ${below.toFixed(1)})`)
    }
    for (const element of root.querySelectorAll<SVGElement>('[data-copy]')) {
      const centre = where(element.dataset.node ?? '')
      const angle = dotAngle(Number(element.dataset.index), Number(element.dataset.count))
      const reach = radius + dotRadius(radius) + 3.5
      const [x, y] = [centre.x + Math.cos(angle) * reach, centre.y + Math.sin(angle) * reach]
      write(element, 'style', `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`)
    }
    for (const element of root.querySelectorAll<SVGElement>('[data-group]')) {
      const mine = list.filter(member => groupOf(member) === element.dataset.group).map(({ id }) => where(id))
      const x = mine.reduce((sum, point) => sum + point.x, 0) / Math.max(1, mine.length)
      const y = Math.min(...mine.map(point => point.y)) - radius * 1.6 - 10
      write(element, 'transform', `translate(${x.toFixed(1)} ${Math.max(14, y).toFixed(1)})`)
    }
    const line = (link: { source: string; target: string }): string => {
      const [a, b] = [where(link.source), where(link.target)]
      return `M${a.x.toFixed(1)} ${a.y.toFixed(1)}L${b.x.toFixed(1)} ${b.y.toFixed(1)}`
    }
    const isGone = (id: string): boolean => ['dead', 'left'].includes(members.get(id)?.verdict ?? 'dead')
    const mine = state.self?.id ?? ''
    const isNear = (id: string): boolean => (members.get(id)?.rttMs ?? null) !== null
    const paths: Record<string, string[]> = { far: [], near: [], gone: [], focus: [] }
    for (const link of links) {
      const { source, target } = link
      if (focus !== null && (source === focus || target === focus)) paths.focus?.push(line(link))
      else if (isGone(source) || isGone(target)) paths.gone?.push(line(link))
      else if ((source === mine && isNear(target)) || (target === mine && isNear(source)))
        paths.near?.push(line(link))
      else paths.far?.push(line(link))
    }
    for (const [kind, lines] of Object.entries(paths))
      write(root.querySelector(`[data-links=${kind}]`), 'd', lines.join(''))
  }
  const placeNow = useRef(place)
  placeNow.current = place

  useLayoutEffect(() => {
    if (frame.width === 0 || list.length === 0) return
    const bodies = list.map(member => ({ id: member.id, group: groupOf(member) }))
    layout.update(bodies, links, frame, groupBy !== '')
    const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches
    const isFirst = points.current.size === 0
    let isMoving = isFirst || isCalm ? layout.step(FIRST_BUDGET_MS, () => performance.now()) : true
    svg.current?.classList.add('settling')
    svg.current?.classList.remove('settled')
    placeNow.current()
    cancelAnimationFrame(running.current)
    const frameStep = (): void => {
      isMoving = layout.step(FRAME_BUDGET_MS, () => performance.now())
      if (!isCalm || !isMoving) placeNow.current()
      if (isMoving) running.current = requestAnimationFrame(frameStep)
      else {
        svg.current?.classList.remove('settling')
        svg.current?.classList.add('settled')
      }
    }
    running.current = requestAnimationFrame(frameStep)
    return () => cancelAnimationFrame(running.current)
  }, [shape, frame])
  useLayoutEffect(place)

  const [current, setCurrent] = useState<string | null>(null)
  const entry = current !== null && members.has(current) ? current : (state.self?.id ?? list[0]?.id)
  const onKey = (event: KeyboardEvent): void => {
    const from = points.current.get(entry ?? '')
    const next = from && nearestTowards(event.key, from, points.current)
    if (!next) return
    event.preventDefault()
    setCurrent(next)
    svg.current?.querySelector<SVGElement>(`[data-member="${CSS.escape(next)}"] a`)?.focus()
  }
  useEffect(() => () => cancelAnimationFrame(running.current), [])

  const scale = radius / 10
  const signs = useMemo(
    () =>
      list.map(member => {
        const { id, verdict, health } = member
        const name = nameOf(state, id)
        const isSelf = id === state.self?.id
        const tasksHere = perNode.get(id) ?? 0
        return html`<g key=${id} class="member" data-member=${id} data-verdict=${verdict}
          data-health=${health} data-draining=${member.draining} >
          <a href=${memberHref(id)} tabindex=${id === entry ? 0 : -1}
            aria-label=${`${name}${isSelf ? ', this node' : ''}: ${verdict}${health === 'ok' ? '' : `, ${health}`}${member.draining ? ', draining' : ''}, ${tasksHere} tasks`}
            onPointerEnter=${() => setFocus(id)} onFocus=${() => {
              setFocus(id)
              setCurrent(id)
            }} onBlur=${() => setFocus(null)}>
            <title>${name}</title>
            <circle class="reach" r=${Math.max(radius + 4, 12)} />
            ${isSelf ? html`<circle class="self-ring" r=${radius + 3} />` : null}
            ${health === 'ok' || verdict === 'dead' || verdict === 'left' ? null : html`<circle class="health-ring" r=${radius + (isSelf ? 6 : 3)} />`}
            <g transform=${`scale(${scale})`}>
              <path class="sign-shape" d=${verdictPath[verdict] ?? verdictPath.suspect} />
              <path class="sign-mark" d=${verdict === 'alive' && health !== 'ok' ? verdictMark.suspect : verdict === 'alive' && member.draining ? DRAIN_MARK : (verdictMark[verdict] ?? '')} />
            </g>
          </a>
        </g>`
      }),
    [list, perNode, state.names, state.self?.id, entry, radius],
  )
  const dotSigns = useMemo(
    () => html`<g aria-hidden="true">
        ${dots.map(
          dot => html`<circle key=${dot.key} class="dot" r=${dotRadius(radius)} data-copy=${dot.key} data-node=${dot.node}
            data-index=${dot.index} data-count=${dot.count} data-phase=${dot.phase} />`,
        )}
      </g>`,
    [dots, radius],
  )
  const isNamed = list.length <= NAMES_MAX
  const groups = groupBy === '' ? [] : [...new Set(list.map(groupOf))].sort()
  return html`<div class="drawing" ref=${box} data-many=${list.length > 60}>
    <svg ref=${svg} width=${frame.width} height=${frame.height} role="group"
      aria-label="Drawing of the mesh. Arrow keys go from member to member, Enter opens one. The tables below say the same."
      onKeyDown=${onKey} onPointerLeave=${() => setFocus(null)}>
      <g class="links" aria-hidden="true" data-many=${list.length > 60}>
        <path data-links="far" /><path data-links="near" /><path data-links="gone" /><path data-links="focus" />
      </g>
      ${groups.map(group => html`<text key=${`g ${group}`} class="group-name" data-group=${group} aria-hidden="true">${groupBy} ${group}</text>`)}
      ${signs}
      <g aria-hidden="true">
        ${list
          .filter(({ id, verdict }) => isNamed || id === state.self?.id || id === focus || isOdd(verdict))
          .map(
            ({ id, verdict }) =>
              html`<text key=${id} class="member-name" data-name=${id} data-verdict=${verdict}>${clip(nameOf(state, id))}</text>`,
          )}
      </g>
      ${dotSigns}
    </svg>
  </div>`
}

const isOdd = (verdict: Verdict): boolean => verdict === 'dead' || verdict === 'suspect'

const DRAIN_MARK = 'M0-4.5v8M-3.5.5 0 4 3.5.5'

const dotRadius = (radius: number): number => Math.max(1.6, Math.min(4.5, radius * 0.24))

/** From the top, both ways in turn, so that the name below stays free. */
const dotAngle = (index: number, count: number): number => {
  const step = Math.min(0.5, 4.4 / Math.max(1, count))
  return -Math.PI / 2 + (index - (count - 1) / 2) * step
}

const clip = (name: string): string => (name.length > 22 ? `${name.slice(0, 21)}…` : name)

const written = new WeakMap<Element, string>()

/** Touches the page only where something is new: an equal value costs the browser as much as another. */
const write = (element: SVGElement | null, what: 'transform' | 'style' | 'd', value: string): void => {
  if (element === null || written.get(element) === value) return
  written.set(element, value)
  // Through the style object, which the policy of the page allows; a style attribute it does not.
  if (what === 'style') element.style.transform = value
  else element.setAttribute(what, value)
}
