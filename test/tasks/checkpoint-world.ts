// A mesh with one task whose copies save, for what must not be lost of that.

import type { NodeId } from '../../src/core/ids.js'
import type { Json } from '../../src/core/json.js'
import type { CopyId } from '../../src/core/step.js'
import { createWorld, task, type World, type WorldOptions } from './engine-world.js'

/** At which pace checkpoints enter shared state, and a while. */
export const PUBLISHED_MS = 12_000

export const start = (options: WorldOptions): World => {
  const world = createWorld(options)
  world.put(world.ids[0] as NodeId, task('poll'))
  world.advance(1_000)
  return world
}

export const ownerOf = (world: World): NodeId => {
  const running = world.running('poll')
  if (running.length !== 1) throw new Error(`it runs on ${running.length} nodes: ${running}`)
  return running[0] as NodeId
}

export const save = (world: World, node: NodeId, checkpoint: number): void => {
  const copy = world.starts.findLast(start => start.node === node)?.copy as CopyId
  const request = world.request()
  world.ask(node, { kind: 'copySaved', copy, checkpoint, request })
  world.advance(100)
  if (world.reply(node, request) !== null) throw new Error(`${node} could not save ${checkpoint}`)
}

/** Kills the owner; returns who took over. */
export const replace = (world: World): NodeId => {
  world.kill(ownerOf(world))
  world.advance(500)
  return ownerOf(world)
}

/** What the copy that was started last began with. */
export const begunWith = (world: World): Json | undefined => world.starts.at(-1)?.checkpoint
