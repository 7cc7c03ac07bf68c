import test from 'ava'
import {
  bytesPerSecondMax,
  cleanLine,
  createLineReader,
  lineBytesMax,
  linesPerSecondMax,
} from '../../../src/adapters/executors/lines.js'

const setUp = () => {
  const lines: string[] = []
  const clock = { at: 1_000 }
  const reader = createLineReader(
    () => clock.at,
    line => lines.push(line),
  )
  return { lines, clock, reader, push: (text: string) => reader.push(Buffer.from(text)) }
}

test('lines are whole, however their bytes arrive', t => {
  const { lines, reader } = setUp()
  const text = Buffer.from('grün\r\n\nzwei €\nrest')
  for (const byte of text) reader.push(Uint8Array.of(byte))
  t.deepEqual(lines, ['grün', '', 'zwei €'])
  reader.end()
  t.deepEqual(lines, ['grün', '', 'zwei €', 'rest'])
})

test('a line without an end is cut, and the rest counted', t => {
  const { lines, push } = setUp()
  for (let n = 0; n < 10; n += 1) push('x'.repeat(lineBytesMax))
  push('\nnext\n')
  t.deepEqual(lines, [`${'x'.repeat(lineBytesMax)}… (${9 * lineBytesMax} more bytes)`, 'next'])
})

test('garbage becomes a line of valid text without control characters', t => {
  const { lines, reader } = setUp()
  reader.push(Uint8Array.of(0xff, 0xfe, 0x00, 0x1b, 0x5b, 0x32, 0x4a, 0x9b, 0x7f, 0x41, 0x0a))
  t.is(lines.length, 1)
  t.notRegex(lines[0] ?? '', /\p{Cc}/u)
  t.true(lines[0]?.endsWith('A'))
  t.is(cleanLine('a\tb\u001b[31m'), 'a\tb\ufffd[31m')
})

test('lines beyond the limit of a second are skipped and said to be', t => {
  const { lines, clock, push } = setUp()
  push('y\n'.repeat(linesPerSecondMax + 300))
  push('y\n')
  t.is(lines.length, linesPerSecondMax)
  clock.at += 1_000
  push('again\n')
  t.regex(lines.at(-2) ?? '', /602 bytes skipped/)
  t.is(lines.at(-1), 'again')
})

test('a line begun among the skipped is skipped to its end, and the next is whole', t => {
  const { lines, clock, push } = setUp()
  push(`${'y\n'.repeat(linesPerSecondMax)}half`)
  push(' and half\ntail')
  clock.at += 1_000
  push(' of it\n')
  t.is(lines.at(-1), 'tail of it')
})

test('a source that sends too much is told to wait until the second is over', t => {
  const { clock, push } = setUp()
  t.is(push('x'.repeat(bytesPerSecondMax)), 0)
  clock.at += 300
  t.is(push('x'), 700)
  clock.at += 700
  t.is(push('x'), 0)
})
