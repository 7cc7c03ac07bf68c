// The task that empties the queue: publishes each aggregate to the uplink, the oldest
// first, and removes it when the broker has confirmed it. An aggregate is so forwarded at
// least once; where it comes twice it has the same id, and the one with more readings in
// it is the better one.

import type { Handler } from '../../src/index.js'
import { createCondition } from '../plug/condition.js'
import { sayingFailures } from '../plug/failures.js'
import { createMqttLink } from '../plug/mqtt-link.js'
import { pause } from '../plug/pause.js'
import type { CityOptions } from './collect.js'
import { oldest, QUEUE_SPACE } from './queue.js'
import { checkForwardTask } from './settings.js'

/** How often an empty queue is looked at. */
const IDLE_MS = 200

/** The handler `forward`. */
export const createForwarder = ({ uplink, report, log, steadyMs }: CityOptions): Handler =>
  sayingFailures({ report, log }, async context => {
    const task = checkForwardTask(context.input)
    if (uplink === null) throw new Error('this gateway has no uplink; its file names none')
    const { signal } = context
    const queue = context.space(QUEUE_SPACE)
    const condition = createCondition('uplink', report, log, steadyMs)
    const link = createMqttLink({
      url: uplink,
      condition,
      retryMaxMs: task.retryMaxMs,
      signal,
      prepare: async () => ({ clientId: 'shoal.city.uplink', clean: true }),
      onConnect() {},
    })
    try {
      while (!signal.aborted) {
        const { client } = link
        const batch = client === null ? [] : oldest(queue, task.windowMax)
        if (client === null || batch.length === 0) {
          await pause(IDLE_MS, signal)
          continue
        }
        await Promise.all(
          batch.map(async ([key, aggregate]) => {
            const payload = JSON.stringify(aggregate)
            const isConfirmed = await client
              .publishAsync(`${task.topic}/${aggregate.district}`, payload, { qos: 1 })
              .then(
                () => true,
                () => false,
              )
            if (isConfirmed) await queue.delete(key)
          }),
        )
      }
    } finally {
      await link.close()
      condition.release()
    }
  })
