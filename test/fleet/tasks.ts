// What a fleet's nodes say of tasks.

import type { FleetNode } from './fleet.js'

export interface Copy {
  readonly node: string | null
  readonly phase: string
  readonly epoch: string | null
}

/** Task → its running copies, as this node sees them. */
export const runningOn = async (node: FleetNode): Promise<Map<string, Copy[]>> => {
  const tasks = await node.ask<{ id: string; copies: Copy[] }[]>({ kind: 'tasks' })
  return new Map(tasks.map(({ id, copies }) => [id, copies.filter(copy => copy.phase === 'running')]))
}
