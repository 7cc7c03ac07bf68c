// Finds other nodes of the same mesh on the local network by mDNS, while it is switched
// on. Once it was told anything it answers others for as long as it runs, or who starts when
// all have met would find nobody: also where it was switched off before it had begun. The
// service name carries a digest of the mesh key, so that meshes that share a network do not
// knock at each other's doors. Loaded only when used.
//
// It asks when it is told to and never otherwise: each question is answered by all, and each
// answer is heard by all.

import { createHash } from 'node:crypto'
import type { PeerDiscovery, PeerInfo } from '@libp2p/interface'
import type { MulticastDNSComponents } from '@libp2p/mdns'
import type { NodeId } from '../../core/ids.js'
import { limits } from './limits.js'
import { ownAddresses } from './own-addresses.js'

type Service = PeerDiscovery & { start?(): unknown; stop?(): unknown }

interface ServiceInit {
  readonly serviceTag: string
  readonly interval: number
}

type Load = () => Promise<{
  mdns(init: ServiceInit): (components: MulticastDNSComponents) => Service
}>

/** What the service has beside its interface and is needed here. */
interface Insides {
  serviceTag: string
  readonly mdns?: { query(query: { questions: readonly { name: string; type: 'PTR' }[] }): void }
}

/** The longest that a timer of Node.js takes. */
const NEVER_MS = 2 ** 31 - 1
/** The service asks when it begins: a question that nobody answers. */
const NOBODY = '_shoal-begins._udp.local'

export class Discovery {
  readonly #components: MulticastDNSComponents
  readonly #self: NodeId
  readonly #serviceTag: string
  readonly #onFound: (addresses: readonly string[]) => void
  readonly #load: Load
  #on = false
  #isOver = false
  #service: Service | null = null
  #asking: NodeJS.Timeout | null = null

  constructor(
    components: MulticastDNSComponents,
    self: NodeId,
    meshKey: Uint8Array | null,
    onFound: (addresses: readonly string[]) => void,
    load: Load = () => import('@libp2p/mdns'),
  ) {
    const tag = createHash('sha256')
      .update('shoal-mdns\n')
      .update(meshKey ?? '')
      .digest('hex')
      .slice(0, 12)
    this.#components = components
    this.#self = self
    this.#serviceTag = `_shoal-${tag}._udp.local`
    this.#onFound = onFound
    this.#load = load
  }

  set(on: boolean): void {
    if (this.#isOver) return
    this.#on = on
    if (this.#service === null) void this.#begin()
    else this.#settle()
  }

  async stop(): Promise<void> {
    this.#on = false
    this.#isOver = true
    this.#settle()
    await this.#service?.stop?.()
  }

  async #begin(): Promise<void> {
    const { mdns } = await this.#load()
    // It may have ended, or been told something else, while the module loaded.
    if (this.#isOver || this.#service !== null) return
    const service = mdns({ serviceTag: NOBODY, interval: NEVER_MS })(this.#components)
    this.#service = service
    service.addEventListener('peer', event => this.#found(event.detail))
    const started = service.start?.()
    ;(service as unknown as Insides).serviceTag = this.#serviceTag
    this.#settle()
    await started
  }

  #settle(): void {
    if (this.#on === (this.#asking !== null)) return
    if (this.#asking !== null) {
      clearInterval(this.#asking)
      this.#asking = null
      return
    }
    this.#ask()
    this.#asking = setInterval(() => this.#ask(), limits.mdnsIntervalMs).unref()
  }

  #ask(): void {
    const { mdns } = this.#service as unknown as Insides
    mdns?.query({ questions: [{ name: this.#serviceTag, type: 'PTR' }] })
  }

  #found({ id, multiaddrs }: PeerInfo): void {
    const node = id.toString()
    if (!this.#on || node === this.#self) return
    const addresses = ownAddresses(multiaddrs.map(String)).slice(0, limits.addressesPerDial)
    if (addresses.length > 0) this.#onFound(addresses.map(each => `${each}/p2p/${node}`))
  }
}
