// Confirms readings to the broker only when they are safe. MQTT.js confirms a message as
// soon as it was handed over; a gateway that is lost then takes what it held in memory
// with it. Here the confirmations (PUBACK) of a connection wait until the checkpoint that
// contains the readings is saved; what was never confirmed, the broker gives to whoever
// comes next under the same client id.
//
// It sits in the socket, where each packet's first byte and length say what it is, and
// touches nothing but confirmations.

import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'

const PUBACK = 0x40
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'mqtt:': 1883, 'tcp:': 1883, 'mqtts:': 8883 }

export interface HeldAcks {
  /** How many confirmations wait. */
  readonly count: number
  /** For `createMqttLink`: connects with a socket that holds them. */
  open(url: string, options: IClientOptions): MqttClient
  /** All that wait now; call the result to send them. Of a connection that is gone, nothing is sent. */
  collect(): () => void
}

export const createHeldAcks = (): HeldAcks => {
  let held: Buffer[] = []
  let send: (bytes: Buffer) => void = () => {}

  const hold = (socket: Socket): Socket => {
    const write = socket.write.bind(socket) as (bytes: Uint8Array) => boolean
    let pending = Buffer.alloc(0)
    held = []
    send = bytes => {
      if (socket.writable) write(bytes)
    }
    socket.write = ((chunk: string | Uint8Array) => {
      pending = Buffer.concat([pending, typeof chunk === 'string' ? Buffer.from(chunk) : chunk])
      let accepted = true
      for (let size = sizeOf(pending); size !== null; size = sizeOf(pending)) {
        const packet = pending.subarray(0, size)
        pending = pending.subarray(size)
        if (packet[0] === PUBACK) held.push(Buffer.from(packet))
        else accepted = write(packet)
      }
      return accepted
    }) as Socket['write']
    return socket
  }

  return {
    get count() {
      return held.length
    },
    open(url, options) {
      const { hostname, port, protocol } = new URL(url)
      const to = { host: hostname, port: Number(port) || (DEFAULT_PORTS[protocol] ?? 1883), noDelay: true }
      const build = (): Socket => hold(protocol === 'mqtts:' ? connectTls(to) : connect(to))
      return new mqtt.MqttClient(build, options)
    },
    collect() {
      const waiting = held
      const to = send
      held = []
      return () => {
        if (waiting.length > 0) to(Buffer.concat(waiting))
      }
    },
  }
}

/** The size of the packet at the beginning of these bytes, or null while it is not all there. */
const sizeOf = (bytes: Buffer): number | null => {
  let length = 0
  for (let at = 1; at < Math.min(5, bytes.length); at += 1) {
    const digit = bytes[at] ?? 0
    length += (digit & 127) * 128 ** (at - 1)
    if (digit < 128) return bytes.length >= at + 1 + length ? at + 1 + length : null
  }
  return null
}
