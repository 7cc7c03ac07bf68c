// Reads text/event-stream as the HTML standard has it, from chunks cut anywhere: the page
// uses `fetch`, because EventSource cannot carry a token. It keeps the last id; it never
// keeps more of an unfinished event than a limit, so that a broken peer cannot fill memory.

export interface SseMessage {
  readonly id: string
  readonly type: string
  readonly data: string
}

export interface SseParser {
  /** The messages that this chunk completes. */
  push(chunk: string): SseMessage[]
  readonly lastId: string
  /** What the server asked for as the pause before reconnecting, or null. */
  readonly retryMs: number | null
}

export const SSE_PENDING_CHARS_MAX = 1_000_000

export const createSseParser = (): SseParser => {
  let rest = ''
  let afterReturn = false
  let data: string[] = []
  let dataChars = 0
  let type = ''
  let id = ''
  let lastId = ''
  let retryMs: number | null = null

  const take = (line: string): SseMessage | null => {
    if (line === '') {
      lastId = id
      const message = { id, type: type === '' ? 'message' : type, data: data.join('\n') }
      const isEmpty = data.length === 0
      data = []
      dataChars = 0
      type = ''
      return isEmpty ? null : message
    }
    const colon = line.indexOf(':')
    if (colon === 0) return null
    const field = colon < 0 ? line : line.slice(0, colon)
    let value = colon < 0 ? '' : line.slice(colon + 1)
    if (value.startsWith(' ')) value = value.slice(1)
    if (field === 'data') {
      dataChars += value.length
      if (dataChars > SSE_PENDING_CHARS_MAX) throw new Error('an event is too long')
      data.push(value)
    } else if (field === 'event') type = value
    else if (field === 'id' && !value.includes('\0')) id = value
    else if (field === 'retry' && /^\d+$/.test(value)) retryMs = Number(value)
    return null
  }

  return {
    push(chunk) {
      // A return at the end of one chunk and a newline at the start of the next are one line end.
      if (chunk === '') return []
      const text = afterReturn && chunk.startsWith('\n') ? chunk.slice(1) : chunk
      afterReturn = chunk.endsWith('\r')
      const lines = (rest + text).split(/\r\n|\n|\r/)
      rest = lines.pop() ?? ''
      if (rest.length > SSE_PENDING_CHARS_MAX) throw new Error('a line is too long')
      return lines.map(take).filter(message => message !== null)
    },
    get lastId() {
      return lastId
    },
    get retryMs() {
      return retryMs
    },
  }
}
