// What holds of the tasks of a small world once its faults are over.

import { type NodeId, taskId } from '../../src/core/ids.js'
import type { TaskSpec } from '../../src/core/tasks/spec.js'
import type { World } from './engine-world.js'

/** Every node lists the same copies, exactly those that placement names, and nothing is left over. */
export const atRest = (world: World): string[] => {
  const wrong: string[] = []
  const [first] = world.ids as [NodeId]
  const seen = JSON.stringify(world.engine(first).list())
  for (const id of world.ids)
    if (JSON.stringify(world.engine(id).list()) !== seen) wrong.push(`${id} sees other tasks than ${first}`)
  for (const view of world.engine(first).list()) {
    const spec = view as unknown as TaskSpec & { copies: { slot: number; node: NodeId; phase: string }[] }
    if (spec.when === 'once') {
      if (spec.replicas !== 0 && view.result === undefined) wrong.push(`${spec.id} has no result`)
      continue
    }
    const due = spec.replicas === 'all' ? world.ids.length : spec.replicas
    const nodes = new Set(spec.copies.map(({ node }) => node))
    const eligible = Object.keys(spec.needs).length > 0 ? 3 : world.ids.length
    if (spec.copies.length !== due || nodes.size !== Math.min(due, eligible))
      wrong.push(`${spec.id} has ${spec.copies.length} copies on ${nodes.size} nodes instead of ${due}`)
    const why = world.engine(first).why(taskId(spec.id))
    for (const copy of spec.copies) {
      if (copy.phase !== 'running') wrong.push(`${spec.id}/${copy.slot} is ${copy.phase}`)
      if (why?.copies.find(({ slot }) => slot === copy.slot)?.node !== copy.node)
        wrong.push(`${spec.id}/${copy.slot} is not where placement names it`)
      if (spec.when === 'always' && world.running(spec.id, copy.slot).join() !== copy.node)
        wrong.push(`${spec.id}/${copy.slot} runs on ${world.running(spec.id, copy.slot)}`)
    }
  }
  // Bounded by what is alive: one claim for each copy, none of a task that is gone.
  for (const [key, value] of Object.entries(world.state(first, 'shoal.claims'))) {
    const { task: name, slot, phase } = value as { task: string; slot: number; phase: string }
    const known = world.engine(first).get(taskId(name))
    if (known === null) wrong.push(`claim ${key} of a task that is gone`)
    else if (phase !== 'running' && slot < Number((known as unknown as TaskSpec).replicas))
      wrong.push(`claim ${key} is left ${phase}`)
  }
  return wrong
}
