// Listens to a node's events until Ctrl-C. A node that goes away is tried again every
// second, and what happened meanwhile is asked for by the number of the last event.

import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { ShoalError } from '../core/errors.js'
import type { JournalEvent } from '../runtime/journal.js'
import type { Client } from './client.js'

const RETRY_MS = 1_000
const EVENT_CHARS_MAX = 1_000_000

export interface Following {
  /** Events after this number; null for those from now on. */
  readonly since: number | null
  /** The stream stands; called again after each time that it was lost. */
  onOpen?(): Promise<void>
  onEvent(event: JournalEvent): Promise<void> | void
}

/** Throws if the node cannot be reached at first; afterwards it goes on for ever. */
export const follow = async (client: Client, { since, onOpen, onEvent }: Following): Promise<never> => {
  let lastEventId: string | null = null
  let isFirst = true
  for (;;) {
    try {
      const path: string = isFirst && since !== null ? `/v1/events?since=${since}` : '/v1/events'
      const stream = await client.stream(path, lastEventId)
      await onOpen?.()
      isFirst = false
      for await (const { id, data } of messages(stream)) {
        lastEventId = id ?? lastEventId
        await onEvent(JSON.parse(data) as JournalEvent)
      }
    } catch (error) {
      if (isFirst) throw error
      if (error instanceof ShoalError && error.code === 'UNAUTHORIZED') throw error
    }
    process.stderr.write(`shoal: the node at ${client.target} went away; trying again\n`)
    for (;;) {
      await sleep(RETRY_MS)
      const answers = await client.get('/v1/self').then(
        () => true,
        () => false,
      )
      if (answers) break
    }
  }
}

interface Message {
  readonly id: string | null
  readonly data: string
}

/** The messages of a stream of server-sent events (HTML standard, section 9.2.6). */
export async function* messages(stream: IncomingMessage | AsyncIterable<Buffer>): AsyncGenerator<Message> {
  const decoder = new TextDecoder()
  let rest = ''
  let id: string | null = null
  let data: string[] = []
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    rest += decoder.decode(chunk, { stream: true })
    if (rest.length > EVENT_CHARS_MAX) throw new ShoalError('TOO_LARGE', 'an event is too large')
    const lines = rest.split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop() ?? ''
    for (const text of lines) {
      if (text === '') {
        if (data.length > 0) yield { id, data: data.join('\n') }
        data = []
        continue
      }
      const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(text) ?? []
      if (field === 'data') data.push(value ?? '')
      else if (field === 'id') id = value ?? null
    }
  }
}
