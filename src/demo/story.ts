// `shoal demo --headless`: kills, freezes and cuts one node after the other, brings each
// back, and says what it measured. The last line sums it up for whoever reads only that.

import { setTimeout as sleep } from 'node:timers/promises'
import { line, printJsonLine } from '../cli/output.js'
import { type Act, ms, tellFault } from './actions.js'
import type { DemoNode, Fleet } from './fleet.js'
import { demoNow, type FaultKind, type Watch } from './watch.js'

const KINDS: readonly FaultKind[] = ['kill', 'freeze', 'cut']
/** Far above what is promised; a step that takes longer is told as it is. */
const STEP_MS = 8_000
/** What is left for the last look. */
const RESERVE_MS = 1_500
/** A fault is begun only while this much time is left for it. */
const ROOM_MS = 7_000
const COVER_MS = 15_000
const BREATH_MS = 400

export interface StoryOptions {
  readonly fleet: Fleet
  readonly watch: Watch
  readonly act: Act
  /** When to end, on the scale of `performance.now`. */
  readonly endAt: number
  readonly json: boolean
  readonly isStopped: () => boolean
}

/** Returns the exit code. */
export const playStory = async (options: StoryOptions): Promise<number> => {
  const { fleet, watch, act, endAt, json, isStopped } = options
  const say = (text: string): void => (json ? printJsonLine({ step: text }) : line(text))
  const left = (): number => endAt - performance.now()
  let last: DemoNode | null = null
  for (let i = 0; !isStopped() && (i < KINDS.length || left() > ROOM_MS); i++) {
    const kind = KINDS[i % KINDS.length] as FaultKind
    const node = nextVictim(fleet, watch, last)
    last = node
    const fault = await act(kind, node)
    if (fault === null) continue
    await watch.until(() => watch.isOver(fault) || isStopped(), STEP_MS)
    say(tellFault(fault))
    if (isStopped()) break
    const began = demoNow()
    await act('revive', node)
    const isBack = await watch.until(() => isAliveEverywhere(watch, node) || isStopped(), STEP_MS)
    say(
      isBack
        ? `revived ${node.name}: it is a member again after ${ms(demoNow() - began)}`
        : `revived ${node.name}: it is no member again yet`,
    )
    if (left() > ROOM_MS) await sleep(BREATH_MS)
  }
  while (!isStopped() && left() > RESERVE_MS) await sleep(Math.min(100, left() - RESERVE_MS))
  await watch.until(
    () => watch.tasks.length > 0 && watch.uncovered().length === 0,
    isStopped() ? 0 : COVER_MS,
  )
  return sumUp(watch, json)
}

/** The node with the most work, which is the one that is missed most; not the same one twice running. */
const nextVictim = (fleet: Fleet, watch: Watch, last: DemoNode | null): DemoNode => {
  const [victim] = fleet.nodes
    .filter(node => node.fate === 'up' && node !== last)
    .sort((a, b) => watch.runningOn(b).length - watch.runningOn(a).length || a.index - b.index)
  return victim as DemoNode
}

const isAliveEverywhere = (watch: Watch, node: DemoNode): boolean =>
  watch.members.some(member => member.id === node.id && member.verdict === 'alive')

export const sumUp = (watch: Watch, json: boolean): number => {
  const uncovered = watch.uncovered()
  const tasks = watch.tasks.length
  const longest = Math.round(watch.longestGapMs)
  if (uncovered.length > 0) process.stderr.write(`shoal: left uncovered: ${uncovered.join(', ')}\n`)
  if (json) {
    printJsonLine({ tasks, faults: watch.faults.length, longestGapMs: longest, uncovered: uncovered.length })
  } else {
    line(
      `demo: ${tasks} tasks, ${watch.faults.length} faults, longest gap ${longest} ms, ${uncovered.length} uncovered`,
    )
  }
  return uncovered.length > 0 || tasks === 0 ? 1 : 0
}
