// What the demo adds to the interface of its nodes and no other node has: levers that kill,
// freeze, cut off and revive. Whoever starts the node brings them; without that these
// routes do not exist.

import type { Operation } from './operations.js'

export interface DemoControl {
  /** What can be done: `kill`, `freeze`, … */
  readonly controls: readonly string[]
  /** Does it to a member; refuses with a `ShoalError`. */
  act(action: string, node: string): Promise<void>
}

const text = { type: 'string', minLength: 1, maxLength: 128 }

export const DEMO_OPERATIONS: readonly Operation[] = [
  {
    id: 'getDemo',
    method: 'GET',
    path: '/v1/demo',
    summary: 'What the demo can do to its nodes',
    openness: 'mesh',
    answer: { status: 200, schema: { type: 'object' }, text: 'its levers' },
    refusals: [],
  },
  {
    id: 'actDemo',
    method: 'POST',
    path: '/v1/demo',
    summary: 'Do it to a node',
    openness: 'mesh',
    body: {
      schema: {
        type: 'object',
        properties: { action: text, node: text },
        required: ['action', 'node'],
        additionalProperties: false,
      },
      limit: 'bodyBytesMax',
    },
    answer: { status: 204, text: 'it is done' },
    refusals: [404],
  },
]
