// How the demo cuts a node off: it holds back every byte of the mesh, in both
// directions, as a pulled cable would, and lets them flow again when the cable is
// back. Nothing listens for it: the order comes over the pipe that a parent process
// made when it started this node, and when that pipe ends this process ends with it.
//
// TCP connections stay open on both sides meanwhile, and dials are accepted by the
// kernel and get no answer, so others meet silence and not a refusal.

import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'

const held = new Set<Socket>()
const sockets = new Set<Socket>()
let isCut = false

/** Called once, early: only connections made afterwards can be held. */
export const watchSockets = (): void => {
  for (const name of ['net.client.socket', 'net.server.socket']) {
    subscribe(name, message => {
      const { socket } = message as { socket: Socket }
      sockets.add(socket)
      socket.once('close', () => {
        sockets.delete(socket)
        held.delete(socket)
      })
      if (isCut) hold(socket)
    })
  }
}

let apiPort = 0

export const obeyDemo = (api: string): void => {
  apiPort = Number(api.slice(api.lastIndexOf(':') + 1))
  process.on('message', (message: { cut?: unknown }) => {
    if (typeof message.cut !== 'boolean') return
    isCut = message.cut
    for (const socket of isCut ? sockets : held) {
      if (isCut) hold(socket)
      else release(socket)
    }
    process.send?.({ cut: isCut })
  })
}

/** Ends this process as soon as whoever started it is gone. */
export const dieWithParent = (): void => {
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
}

const hold = (socket: Socket): void => {
  // The demo and the page go on asking the node what it sees.
  if (socket.localPort === apiPort || held.has(socket)) return
  held.add(socket)
  socket.cork()
  socket.pause()
  // Whoever reads the socket resumes it when there is room again; not now.
  Object.defineProperty(socket, 'resume', { value: () => socket, configurable: true, writable: true })
}

const release = (socket: Socket): void => {
  held.delete(socket)
  Reflect.deleteProperty(socket, 'resume')
  socket.uncork()
  socket.resume()
}
