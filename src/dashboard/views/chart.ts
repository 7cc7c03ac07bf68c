// Copies over time since the page was opened: how many should run and how many do. A gap
// between the two lines is work that nobody does.

import { html } from 'htm/preact'
import type { VNode } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import type { Sample, State } from '../session.js'

const HEIGHT = 120

export const CoverageChart = ({ state }: { state: State }): VNode => {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  useEffect(() => {
    const element = box.current
    if (element === null) return
    const draw = (): void => {
      plot.current?.destroy()
      plot.current = createPlot(element, state.samples)
    }
    draw()
    // Colours come from the page's style, which follows the system's theme.
    const theme = matchMedia('(prefers-color-scheme: dark)')
    theme.addEventListener('change', draw)
    const observer = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }),
    )
    observer.observe(element)
    return () => {
      theme.removeEventListener('change', draw)
      observer.disconnect()
      plot.current?.destroy()
      plot.current = null
    }
  }, [])
  useEffect(() => {
    plot.current?.setData(seriesOf(state.samples))
  }, [state.samples])
  const last = state.samples.at(-1)
  const text = last === undefined ? 'No samples yet.' : `${last.running} of ${last.wanted} copies run.`
  return html`<figure class="chart">
    <figcaption>Copies since this page was opened <span class="key"><i class="key-wanted"></i> wanted <i class="key-running"></i> running</span></figcaption>
    <div ref=${box} role="img" aria-label=${text}></div>
  </figure>`
}

const seriesOf = (samples: readonly Sample[]): uPlot.AlignedData => [
  samples.map(({ at }) => at / 1_000),
  samples.map(({ wanted }) => wanted),
  samples.map(({ running }) => running),
]

const createPlot = (element: HTMLElement, samples: readonly Sample[]): uPlot => {
  const style = getComputedStyle(element)
  const colour = (name: string): string => style.getPropertyValue(name).trim()
  const axis = {
    stroke: colour('--quiet'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  }
  return new uPlot(
    {
      width: element.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      scales: { y: { range: (_, __, max) => [0, Math.max(4, Math.ceil(max * 1.15))] } },
      axes: [
        { ...axis, grid: { show: false }, size: 26, space: 90, values: (_, splits) => splits.map(clock) },
        { ...axis, size: 34, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000, 10_000], space: 30 },
      ],
      series: [
        {},
        { stroke: colour('--quiet'), width: 1.5, dash: [4, 4], points: { show: false } },
        { stroke: colour('--alive'), width: 2, points: { show: false } },
      ],
    },
    seriesOf(samples),
    element,
  )
}

const clock = (seconds: number): string => new Date(seconds * 1_000).toTimeString().slice(0, 8)
