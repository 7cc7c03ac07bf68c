// An MQTT 3.1.1 broker, as small as the tests allow: QoS 0 and 1, wills, wildcards, one
// session for each client id, and messages kept for those who said that they would come
// back. It exists so that the tests need nothing but Node; what is true against it is
// tried against a real broker in test/machine.

import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

interface Message {
  readonly topic: string
  readonly payload: Buffer
  readonly qos: number
}

interface Session {
  readonly id: string
  readonly clean: boolean
  readonly filters: Map<string, number>
  readonly kept: Message[]
  /** Sent and not confirmed; sent again when the client comes back. */
  readonly unconfirmed: Map<number, Message>
  socket: Socket | null
  will: Message | null
  nextId: number
}

export interface TestBroker {
  readonly url: string
  readonly port: number
  /** How many clients are connected. */
  readonly clients: number
  /** Everybody is thrown out and nobody gets in, until it is up again on the same port. */
  down(): Promise<void>
  up(): Promise<void>
  close(): Promise<void>
}

const [CONNECT, PUBLISH, PUBACK, SUBSCRIBE, UNSUBSCRIBE, PINGREQ, DISCONNECT] = [1, 3, 4, 8, 10, 12, 14]

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value)
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes])
}

const packet = (first: number, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts)
  const length: number[] = []
  let rest = body.length
  do {
    length.push((rest % 128) | (rest >= 128 ? 128 : 0))
    rest = Math.floor(rest / 128)
  } while (rest > 0)
  return Buffer.concat([Buffer.from([first, ...length]), body])
}

const matches = (filter: string, topic: string): boolean => {
  const want = filter.split('/')
  const has = topic.split('/')
  for (const [index, part] of want.entries()) {
    if (part === '#') return true
    if (has[index] === undefined || (part !== '+' && part !== has[index])) return false
  }
  return want.length === has.length
}

class Reader {
  at = 0
  readonly bytes: Buffer
  constructor(bytes: Buffer) {
    this.bytes = bytes
  }
  byte = (): number => this.bytes[this.at++] ?? 0
  word = (): number => this.byte() * 256 + this.byte()
  block = (): Buffer => {
    const length = this.word()
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }
  rest = (): Buffer => this.bytes.subarray(this.at)
}

export const createTestBroker = async (): Promise<TestBroker> => {
  const sessions = new Map<string, Session>()
  const sockets = new Set<Socket>()
  let server: Server | null = null
  let port = 0

  const deliver = (session: Session, message: Message, qos: number, isAgain = false): void => {
    if (session.socket === null) {
      if (!session.clean && qos > 0) session.kept.push(message)
      return
    }
    const id = Buffer.alloc(qos > 0 ? 2 : 0)
    if (qos > 0) {
      session.nextId = (session.nextId % 65_535) + 1
      id.writeUInt16BE(session.nextId)
      session.unconfirmed.set(session.nextId, message)
    }
    const first = (PUBLISH << 4) | (isAgain ? 8 : 0) | (qos << 1)
    session.socket.write(packet(first, text(message.topic), id, message.payload))
  }

  const route = (message: Message): void => {
    for (const session of sessions.values()) {
      const granted = [...session.filters].filter(([filter]) => matches(filter, message.topic))
      if (granted.length === 0) continue
      deliver(session, message, Math.min(message.qos, Math.max(...granted.map(([, qos]) => qos))))
    }
  }

  const end = (session: Session, socket: Socket): void => {
    if (session.socket !== socket) return
    session.socket = null
    const { will } = session
    session.will = null
    if (session.clean) sessions.delete(session.id)
    if (will !== null) route(will)
  }

  const onConnect = (socket: Socket, reader: Reader): Session => {
    reader.block()
    reader.byte()
    const flags = reader.byte()
    reader.word()
    const id = reader.block().toString()
    const clean = (flags & 2) !== 0
    let will: Message | null = null
    if ((flags & 4) !== 0) {
      const topic = reader.block().toString()
      will = { topic, payload: Buffer.from(reader.block()), qos: (flags >> 3) & 3 }
    }
    const old = sessions.get(id)
    if (old?.socket) {
      const { socket: stale } = old
      end(old, stale)
      stale.destroy()
    }
    const kept = clean ? undefined : sessions.get(id)
    const session = kept ?? {
      id,
      clean,
      filters: new Map(),
      kept: [],
      unconfirmed: new Map(),
      socket,
      will,
      nextId: 0,
    }
    Object.assign(session, { socket, will })
    sessions.set(id, session)
    socket.write(packet(0x20, Buffer.from([kept === undefined ? 0 : 1, 0])))
    const again = [...session.unconfirmed.values()]
    session.unconfirmed.clear()
    for (const message of again) deliver(session, message, 1, true)
    for (const message of session.kept.splice(0)) deliver(session, message, 1)
    return session
  }

  const onPacket = (socket: Socket, session: Session, first: number, reader: Reader): void => {
    const kind = first >> 4
    if (kind === PUBLISH) {
      const qos = (first >> 1) & 3
      const topic = reader.block().toString()
      const id = qos > 0 ? reader.word() : 0
      route({ topic, payload: Buffer.from(reader.rest()), qos })
      if (qos > 0) socket.write(packet(PUBACK << 4, Buffer.from([id >> 8, id & 255])))
    } else if (kind === PUBACK) session.unconfirmed.delete(reader.word())
    else if (kind === SUBSCRIBE) {
      const id = reader.word()
      const granted: number[] = []
      while (reader.at < reader.bytes.length) {
        const filter = reader.block().toString()
        const qos = Math.min(1, reader.byte())
        session.filters.set(filter, qos)
        granted.push(qos)
      }
      socket.write(packet(0x90, Buffer.from([id >> 8, id & 255, ...granted])))
    } else if (kind === UNSUBSCRIBE) socket.write(packet(0xb0, reader.bytes.subarray(0, 2)))
    else if (kind === PINGREQ) socket.write(packet(0xd0))
    else if (kind === DISCONNECT) session.will = null
  }

  const onSocket = (socket: Socket): void => {
    sockets.add(socket)
    let pending = Buffer.alloc(0)
    let session: Session | null = null
    socket.on('error', () => {})
    socket.on('close', () => {
      sockets.delete(socket)
      if (session !== null) end(session, socket)
    })
    socket.on('data', data => {
      pending = Buffer.concat([pending, data])
      while (pending.length >= 2) {
        let length = 0
        let at = 1
        for (; at < pending.length; at += 1) {
          length += ((pending[at] ?? 0) & 127) * 128 ** (at - 1)
          if ((pending[at] ?? 0) < 128) break
        }
        if (at >= pending.length || pending.length < at + 1 + length) return
        const first = pending[0] ?? 0
        const reader = new Reader(Buffer.from(pending.subarray(at + 1, at + 1 + length)))
        pending = pending.subarray(at + 1 + length)
        if (first >> 4 === CONNECT) session = onConnect(socket, reader)
        else if (session !== null) onPacket(socket, session, first, reader)
      }
    })
  }

  const up = async (): Promise<void> => {
    const made = createServer(onSocket)
    await new Promise<void>(resolve => made.listen(port, '127.0.0.1', resolve))
    port = (made.address() as AddressInfo).port
    server = made
  }
  const down = async (): Promise<void> => {
    const old = server
    server = null
    for (const socket of sockets) socket.destroy()
    if (old !== null) await new Promise<void>(resolve => old.close(() => resolve()))
  }
  await up()
  return {
    url: `mqtt://127.0.0.1:${port}`,
    port,
    get clients() {
      return sockets.size
    },
    up,
    down,
    close: down,
  }
}
