// The demo's machine: a controller that answers what its presses, ovens and pumps are
// doing, one JSON object for each line `read MACHINE`. It invents its values from the
// time, and ends with the demo, because the pipe to it ends.

import { createServer } from 'node:net'

const LINE_MAX = 1_000

const server = createServer(socket => {
  let rest = ''
  socket.setEncoding('utf8')
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: string) => {
    rest += chunk
    if (rest.length > LINE_MAX) socket.destroy()
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const [word, machine] = line.split(' ')
      if (word !== 'read' || machine === undefined) socket.destroy()
      else socket.write(`${JSON.stringify(readingOf(machine, Date.now()))}\n`)
    }
  })
})

const readingOf = (machine: string, now: number): object => {
  const phase = [...machine].reduce((sum, letter) => sum + letter.charCodeAt(0), 0)
  const turn = now / 4_000 + phase
  return {
    machine,
    rpm: Math.round(900 + 60 * Math.sin(turn)),
    celsius: Math.round(10 * (61 + 4 * Math.cos(turn / 3))) / 10,
    pieces: Math.floor(now / 800) % 100_000,
  }
}

process.once('disconnect', () => process.exit(0))
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') process.send?.({ port: address.port })
})
