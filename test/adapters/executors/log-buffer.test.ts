import test from 'ava'
import { createLogBuffer, type LogLine, taskLogBytesMax } from '../../../src/adapters/executors/log-buffer.js'
import { nodeId, taskId } from '../../../src/core/ids.js'

const line = (text: string, at = 1): LogLine => ({
  at,
  node: nodeId('12D3KooTest'),
  epoch: '1-12D3KooTest',
  stream: 'out',
  line: text,
})

test('the newest lines of a task are kept, oldest first, within the limit', t => {
  const buffer = createLogBuffer()
  const task = taskId('chatty')
  for (let at = 0; at < 50_000; at += 1) buffer.append(task, line(`line ${at}`, at))
  const kept = buffer.read(task)
  t.true(buffer.bytes <= taskLogBytesMax)
  t.true(Buffer.byteLength(JSON.stringify(kept)) <= taskLogBytesMax)
  t.is(kept.at(-1)?.at, 49_999)
  t.deepEqual(
    kept.map(entry => entry.at),
    Array.from({ length: kept.length }, (_, n) => 50_000 - kept.length + n),
  )
  t.deepEqual(
    buffer.read(task, 2).map(entry => entry.at),
    [49_998, 49_999],
  )
})

test('all tasks together have a limit, and the one quiet for longest is forgotten', t => {
  const buffer = createLogBuffer(2_000, 5_000)
  for (const name of ['a', 'b', 'c']) {
    for (let at = 0; at < 8; at += 1) buffer.append(taskId(name), line('x', at))
    if (name === 'b') buffer.append(taskId('a'), line('still here'))
  }
  t.true(buffer.bytes <= 5_000)
  t.deepEqual(buffer.read(taskId('b')), [])
  t.is(buffer.read(taskId('a')).at(-1)?.line, 'still here')
  t.is(buffer.read(taskId('c')).length, 8)
})

test('a forgotten task leaves nothing', t => {
  const buffer = createLogBuffer()
  buffer.append(taskId('a'), line('x'))
  buffer.forget(taskId('a'))
  t.is(buffer.bytes, 0)
  t.deepEqual(buffer.read(taskId('a')), [])
})
