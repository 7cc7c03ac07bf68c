// `shoal info`: what this node says of itself.

import type { NodeInfo } from '../../runtime/member-info.js'
import type { Client } from '../client.js'
import { age, cell, healthColour, line, list, printJson } from '../output.js'
import { printAge } from '../view.js'

export const info = async (client: Client, flags: { readonly json?: true }): Promise<void> => {
  const { body: self, viewAgeMs } = await client.get<NodeInfo>('/v1/self')
  if (flags.json) {
    printJson(self)
    return
  }
  const labels = Object.entries(self.labels).map(([name, value]) => `${name}=${value}`)
  const health = [self.health as string, ...self.reasons].join('; ')
  const lines = list([
    ['name', self.name],
    ['id', self.id],
    ['mesh', self.meshId ?? 'a playground, without a mesh key'],
    ['health', cell(health, healthColour(self.health))],
    [
      'tasks',
      self.draining
        ? 'draining: it takes none'
        : self.settled
          ? 'takes tasks'
          : 'not settled yet: it takes none',
    ],
    ['runs', self.runs.join(' ') || '-'],
    ['labels', labels.join(' ') || '-'],
    ['capacity', self.capacity === null ? 'no limit' : String(self.capacity)],
    ['spaces', self.spaces.join(' ')],
    ['addresses', self.addrs.join(' ')],
    ['dialable', self.dialable ? 'yes' : 'no: it dials out, nobody dials it'],
    ['generation', String(self.generation)],
    ['version', self.version],
    ['up for', age(Date.now() - self.startedAt)],
  ])
  for (const each of lines) line(each)
  printAge(self, viewAgeMs)
}
