// Tells what happens in a world, line by line, for whoever looks into a seed: faults,
// accusations, and what the nodes conclude.

import type { Mesh } from './mesh.js'

const FAULTS = [
  'crash',
  'powerOff',
  'freeze',
  'thaw',
  'restart',
  'cutOneWay',
  'mend',
  'partition',
  'join',
  'heal',
  'loss',
  'latency',
  'clockJump',
] as const

export const tell = ({ world }: Mesh): void => {
  const line = (text: string): void => console.log(`${world.nowMs.toFixed(1).padStart(10)}  ${text}`)
  const faults = world as unknown as Record<string, (...parts: unknown[]) => unknown>
  for (const name of FAULTS) {
    const original = faults[name]?.bind(world)
    if (original === undefined) continue
    faults[name] = (...parts) => {
      line(
        `== ${name} ${parts.map(part => (Array.isArray(part) ? `[${part}]` : ((part as { id?: string })?.id ?? part))).join(' ')}`,
      )
      return original(...parts)
    }
  }
  world.on('publish', (node, { message }) => {
    if (message.kind !== 'rumor') return
    for (const { body } of message.accusations)
      line(`${node.id} accuses ${body.subject} (${body.evidence}, version ${body.refutation})`)
    for (const { body } of message.records)
      line(
        `${node.id} publishes ${body.id} ${body.generation.number}.${body.refutation}${body.left ? ' left' : ''}`,
      )
  })
  world.on('notify', (node, { event }) => {
    if (event.kind.startsWith('member.') && 'member' in event)
      line(`    ${node.id} ${event.kind} ${event.member} ${event.cause ?? ''}`)
  })
}
