import test from 'ava'
import { createSseParser, SSE_PENDING_CHARS_MAX } from '../../src/dashboard/sse.js'

const whole = 'id: 5-1\ndata: {"a":1}\n\n: a comment\n\nevent: other\ndata: one\ndata: two\nid: 5-2\n\n'

test('messages are the same however the stream is cut', t => {
  const expected = createSseParser().push(whole)
  t.deepEqual(expected, [
    { id: '5-1', type: 'message', data: '{"a":1}' },
    { id: '5-2', type: 'other', data: 'one\ntwo' },
  ])
  for (const text of [whole, whole.replaceAll('\n', '\r\n'), whole.replaceAll('\n', '\r')]) {
    for (let size = 1; size < 12; size++) {
      const parser = createSseParser()
      const found = []
      for (let i = 0; i < text.length; i += size) found.push(...parser.push(text.slice(i, i + size)))
      t.deepEqual(found, expected, `cut every ${size}, ${JSON.stringify(text.slice(7, 9))}`)
    }
  }
})

test('an id holds until the next one, and only a finished message counts as read', t => {
  const parser = createSseParser()
  t.deepEqual(
    parser.push('id: 1-7\ndata: x\n\ndata: y\n\n').map(({ id }) => id),
    ['1-7', '1-7'],
  )
  parser.push('id: 1-8\ndata: half')
  t.is(parser.lastId, '1-7')
  parser.push('\n\n')
  t.is(parser.lastId, '1-8')
})

test('a pause that the server asks for is kept, another word is not', t => {
  const parser = createSseParser()
  parser.push('retry: soon\n')
  t.is(parser.retryMs, null)
  parser.push('retry: 1500\n')
  t.is(parser.retryMs, 1_500)
})

test('a line or a message without end is refused', t => {
  const long = 'x'.repeat(SSE_PENDING_CHARS_MAX / 2 + 1)
  t.throws(() => {
    const parser = createSseParser()
    parser.push(`data: ${long}`)
    parser.push(long)
  })
  t.throws(() => createSseParser().push(`data: ${long}\ndata: ${long}\n`))
})
