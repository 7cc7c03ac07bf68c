// What the demo does to a node, from the keyboard, the page or the story: done first,
// then told to the watch with the moment at which it was done.

import { ShoalError } from '../core/errors.js'
import type { Control } from './door.js'
import type { DemoNode, Fleet } from './fleet.js'
import { demoNow, type Fault, type Watch } from './watch.js'

export const createActions =
  (fleet: Fleet, watch: Watch) =>
  async (action: Control, node: DemoNode): Promise<Fault | null> => {
    if (action === 'revive') {
      if (node.fate === 'up')
        throw new ShoalError('CONFLICT', `${node.name} works; there is nothing to revive`)
      await fleet.revive(node)
      return null
    }
    if (node.fate === 'killed') throw new ShoalError('CONFLICT', `${node.name} is killed; revive it first`)
    if (node.fate !== 'up' && action !== 'kill') {
      throw new ShoalError('CONFLICT', `${node.name} is ${node.fate}; revive it first`)
    }
    const wasUp = node.fate === 'up'
    const at = demoNow()
    if (action === 'kill') fleet.kill(node)
    else if (action === 'freeze') fleet.freeze(node)
    else await fleet.cut(node)
    // A node that was lost already is not lost again.
    return wasUp ? watch.noteFault(action, node, at) : null
  }

export type Act = ReturnType<typeof createActions>

/** One line: what happened, who knew when, what ran again when. */
export const tellFault = (fault: Fault): string => {
  const done = { kill: 'killed', freeze: 'froze', cut: 'cut off' }[fault.kind]
  const known = [...fault.known.values()]
  const seen =
    known.length < fault.survivors.length
      ? `known to ${known.length} of ${fault.survivors.length}`
      : `known to all after ${ms(Math.max(0, ...known))}`
  return `${done} ${fault.node.name}: ${seen}; ${tellTasks(fault)}`
}

const tellTasks = ({ orphans, retaken }: Fault): string => {
  const again = [...retaken.values()].map(each => Math.round(each.ms))
  const tasks = orphans.length === 1 ? 'task' : 'tasks'
  if (orphans.length === 0) return 'it ran no tasks'
  if (again.length < orphans.length) return `${again.length} of ${orphans.length} ${tasks} run again`
  const [least, most] = [Math.min(...again), Math.max(...again)]
  return orphans.length === 1
    ? `1 task runs again after ${most} ms`
    : `${orphans.length} tasks run again after ${least} to ${most} ms`
}

export const ms = (value: number): string => `${Math.round(value)} ms`
