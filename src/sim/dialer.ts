// How a connection comes about: TCP's handshake, then noise and hello, three round
// trips in all. A host without the process refuses at once; a silent one lets the
// dial run into its time-out; a frozen process has a kernel that accepts and
// nobody behind it; where processors have a price, both ends do their share of the
// handshake when they get one, while the host takes calls as before. Two nodes keep one connection: a second one collapses into it.

import type { NodeId } from '../core/ids.js'
import type { DialFailure } from '../core/step.js'
import type { Kernel } from './kernel.js'
import { Link, otherEnd } from './link.js'
import type { SimNode } from './node.js'
import { Pending } from './pending.js'
import type { Streams } from './streams.js'

/** How long TCP waits before it repeats the first packet; doubles. */
const SYN_RETRY_US = 1_000_000

interface Attempt {
  readonly from: SimNode
  readonly life: number
  readonly expected: NodeId | null
  readonly address: string
  /** Until when the other host may accept; then, until when the handshake may last. */
  deadlineUs: number
  /** Only whether the node answers there: no link comes of it. */
  readonly verify: boolean
  /** How long the handshake has waited for processors. */
  lateUs: number
  isOver: boolean
}

export class Dialer {
  readonly #kernel: Kernel
  readonly #streams: Streams
  /** Handshakes that wait for processors, with the host that was called. */
  readonly #shaking = new Map<Attempt, SimNode>()

  constructor(kernel: Kernel, streams: Streams) {
    this.#kernel = kernel
    this.#streams = streams
  }

  /** Tries every address at once; each failure is reported, a success shows as the link. */
  dial(from: SimNode, expected: NodeId | null, addresses: readonly string[], verify = false): void {
    const { config, nowUs, processors, tally } = this.#kernel
    const { dialUs } = processors.costs
    if (expected !== null && !verify) {
      const peer = this.#kernel.nodeOf(expected)
      // An end that still looks open is taken for a connection, even when the other one is gone.
      if (peer !== undefined && from.links.has(peer.index)) return
    }
    for (const address of addresses.slice(0, config.addressesPerDialMax)) {
      tally.dials++
      const deadlineUs = nowUs + config.dialTimeoutMs * 1000
      const { life } = from
      const attempt = { from, life, expected, address, deadlineUs, verify, lateUs: 0, isOver: false }
      const host = this.#kernel.nodeAt(address)
      if (host === undefined || (!host.dialable && host !== from)) this.#fail(attempt, 'timeout', deadlineUs)
      else if (host === from) this.#fail(attempt, 'self', nowUs)
      else processors.errand(from, dialUs, () => this.#knock(attempt, host, 0))
    }
  }

  /** The process is gone: handshakes with it end, and its host says so to those who wait for it. */
  dropAll(node: SimNode, isHostUp: boolean): void {
    const { nowUs, paths } = this.#kernel
    for (const [attempt, host] of this.#shaking) {
      const { from } = attempt
      if (attempt.isOver || (from !== node && host !== node)) continue
      if (from === node) attempt.isOver = true
      else if (isHostUp && paths.isOpen(node.index, from.index))
        this.#fail(attempt, 'failed', nowUs + paths.latencyUs(node.index, from.index))
    }
  }

  #knock(attempt: Attempt, host: SimNode, retries: number): void {
    const { paths, nowUs } = this.#kernel
    const from = attempt.from
    if (attempt.from.life !== attempt.life) return
    const isLost =
      !paths.isOpenBothWays(from.index, host.index) ||
      paths.losesPacket(from.index, host.index) ||
      paths.losesPacket(host.index, from.index)
    if (!isLost) {
      const atUs = nowUs + paths.latencyUs(from.index, host.index)
      this.#kernel.call(Math.ceil(atUs), () => this.#answer(attempt, host))
      return
    }
    const againUs = nowUs + SYN_RETRY_US * (1 << retries)
    if (againUs >= attempt.deadlineUs) this.#fail(attempt, 'timeout', attempt.deadlineUs)
    else this.#kernel.call(againUs, () => this.#knock(attempt, host, retries + 1))
  }

  /** The first packet reached the host. */
  #answer(attempt: Attempt, host: SimNode): void {
    const { paths, processors, nowUs } = this.#kernel
    const from = attempt.from
    const backUs = paths.latencyUs(host.index, from.index)
    if (host.status === 'off') this.#fail(attempt, 'timeout', attempt.deadlineUs)
    else if (host.status === 'down') this.#fail(attempt, 'refused', nowUs + backUs)
    else {
      attempt.deadlineUs = nowUs + this.#kernel.config.handshakeTimeoutMs * 1000
      const { expected, address } = attempt
      if (expected !== null && !attempt.verify)
        this.#kernel.planEvent(nowUs + backUs, from, { kind: 'dialAccepted', node: expected, address })
      const delayUs = paths.lossDelayUs(from.index, host.index, 3)
      const latencyUs = paths.latencyUs(from.index, host.index)
      const atUs = nowUs + backUs + 3 * latencyUs + delayUs
      if (atUs >= attempt.deadlineUs) this.#fail(attempt, 'timeout', attempt.deadlineUs)
      else if (!processors.areFree) this.#shake(attempt, host, nowUs + backUs, latencyUs, delayUs)
      else this.#kernel.call(Math.ceil(atUs), () => this.#establish(attempt, host))
    }
  }

  /** Three words, of which each is the work of who says it, and the last of who hears it too; a lost packet holds up the first. */
  #shake(attempt: Attempt, host: SimNode, fromUs: number, latencyUs: number, delayUs: number): void {
    const { processors } = this.#kernel
    const { from, deadlineUs } = attempt
    const hostLife = host.life
    this.#shaking.set(attempt, host)
    this.#kernel.call(deadlineUs, () => {
      this.#shaking.delete(attempt)
      if (!attempt.isOver) this.#fail(attempt, 'timeout', deadlineUs)
    })
    const hear = (words: number): void => {
      const heardUs = fromUs + words * latencyUs + (words > 0 ? delayUs : 0) + attempt.lateUs
      this.#kernel.call(Math.ceil(heardUs), () => {
        const { paths, nowUs: arrivedUs } = this.#kernel
        if (attempt.isOver || host.life !== hostLife) return
        // What a cut stops is not heard in time.
        if (!paths.isOpenBothWays(from.index, host.index)) return
        processors.work(words % 2 === 0 ? from : host, processors.costs.handshakeUs / 2, () => {
          if (attempt.isOver) return
          attempt.lateUs += this.#kernel.nowUs - arrivedUs
          if (words === 3) this.#establish(attempt, host)
          else hear(words + 1)
        })
      })
    }
    hear(0)
  }

  /** The acceptor has heard the dialer's last word of the handshake. */
  #establish(attempt: Attempt, host: SimNode): void {
    const { config, nowUs, paths, tally } = this.#kernel
    const from = attempt.from
    if (attempt.isOver || from.life !== attempt.life) return
    const frozen = host.status === 'frozen' ? host : from.status === 'frozen' ? from : null
    if (frozen !== null) {
      // Its kernel accepted; the handshake goes on when the process wakes, if somebody still waits.
      if (frozen.backlog.length < config.backlogMax) frozen.backlog.push(() => this.#establish(attempt, host))
      this.#kernel.call(attempt.deadlineUs, () => {
        if (!attempt.isOver) this.#fail(attempt, 'timeout', this.#kernel.nowUs)
      })
      return
    }
    if (nowUs >= attempt.deadlineUs) {
      this.#fail(attempt, 'timeout', nowUs)
      return
    }
    if (!paths.isOpenBothWays(from.index, host.index)) {
      this.#fail(attempt, 'timeout', attempt.deadlineUs)
      return
    }
    const backUs = Math.ceil(nowUs + paths.latencyUs(host.index, from.index))
    if (host.status !== 'up' || host.life === 0) this.#fail(attempt, 'failed', backUs)
    else if (attempt.expected !== null && attempt.expected !== host.id)
      this.#fail(attempt, 'identity', backUs)
    else if ((host.bans.get(from.index) ?? 0) > nowUs) this.#fail(attempt, 'failed', backUs)
    else if (attempt.verify) {
      attempt.isOver = true
      const event = { kind: 'verified', node: host.id, address: attempt.address } as const
      this.#kernel.planEvent(backUs, from, event)
    } else if (isLinked(from, host)) {
      attempt.isOver = true
      tally.dialsCollapsed++
    } else this.#open(attempt, host, backUs)
  }

  #open(attempt: Attempt, host: SimNode, backUs: number): void {
    const { processors } = this.#kernel
    const from = attempt.from
    attempt.isOver = true
    // What either end kept of an earlier connection is dead: the other process is a new one.
    for (const [node, peer] of [
      [host, from],
      [from, host],
    ] as const) {
      const stale = node.links.get(peer.index)
      if (stale !== undefined) this.#streams.close(stale, node)
    }
    if (host.status !== 'up' || from.life !== attempt.life) return
    const link = new Link(from, host)
    link.holdUntil(1, backUs)
    from.links.set(host.index, link)
    host.links.set(from.index, link)
    this.#kernel.tally.linksOpened++
    this.#kernel.plan(
      backUs,
      new Pending('linkUp', from, 0, link, linkUp(host.id, attempt.address, true), null, null),
    )
    processors.charge(host, processors.costs.linkUs)
    this.#kernel.deliver(host, linkUp(from.id, ephemeral(from), false), 0)
  }

  #fail(attempt: Attempt, reason: DialFailure, atUs: number): void {
    attempt.isOver = true
    this.#kernel.tally.dialsFailed++
    if (attempt.from.life !== attempt.life) return
    const { expected, address } = attempt
    this.#kernel.planEvent(Math.ceil(atUs), attempt.from, {
      kind: 'dialFailed',
      node: expected,
      address,
      reason,
    })
  }
}

/** Whether a connection stands or is coming up that neither end has given up. */
const isLinked = (a: SimNode, b: SimNode): boolean => {
  const link = a.links.get(b.index)
  if (link === undefined) return false
  const end = link.endOf(a)
  return link.states[end] !== 'closed' && link.states[otherEnd(end)] !== 'closed'
}

const linkUp = (node: NodeId, address: string, outbound: boolean) =>
  ({ kind: 'linkUp', node, address, outbound }) as const

/** The acceptor sees the port from which it was called, where nobody listens. */
const ephemeral = (from: SimNode): string =>
  from.address.replace(/\/tcp\/\d+$/, `/tcp/${32_768 + (from.index % 28_000)}`)
