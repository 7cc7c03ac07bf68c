// Finds other nodes of the same mesh on the local network by mDNS, while it is switched
// on. Once it was told anything it answers others for as long as it runs, or who starts when
// all have met would find nobody: also where it was switched off before it had begun. The service name carries a digest of the mesh key, so that meshes
// that share a network do not knock at each other's doors. Loaded only when used.

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
  readonly broadcast: boolean
}

type Load = () => Promise<{
  mdns(init: ServiceInit): (components: MulticastDNSComponents) => Service
}>

/** The longest that a timer of Node.js takes: who only answers asks once, when it begins. */
const NEVER_MS = 2 ** 31 - 1

export class Discovery {
  readonly #components: MulticastDNSComponents
  readonly #self: NodeId
  readonly #serviceTag: string
  readonly #onFound: (addresses: readonly string[]) => void
  readonly #load: Load
  #on = false
  #isOver = false
  #asker: Service | null = null
  #answerer: Service | null = null

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
    void this.#settle()
  }

  async stop(): Promise<void> {
    this.#on = false
    this.#isOver = true
    await Promise.all([this.#settle(), this.#answerer?.stop?.()])
  }

  async #settle(): Promise<void> {
    if (!this.#on) {
      const asker = this.#asker
      this.#asker = null
      await asker?.stop?.()
    }
    if (this.#isOver) return
    const { mdns } = await this.#load()
    if (this.#isOver) return
    const create = (interval: number, broadcast: boolean): Service =>
      mdns({ serviceTag: this.#serviceTag, interval, broadcast })(this.#components)
    const begins: Service[] = []
    // It may have been switched off, or on again, while the module loaded.
    if (this.#on && this.#asker === null) {
      this.#asker = create(limits.mdnsIntervalMs, false)
      this.#asker.addEventListener('peer', event => this.#found(event.detail))
      begins.push(this.#asker)
    }
    if (this.#answerer === null) {
      this.#answerer = create(NEVER_MS, true)
      begins.push(this.#answerer)
    }
    for (const service of begins) await service.start?.()
  }

  #found({ id, multiaddrs }: PeerInfo): void {
    const node = id.toString()
    if (!this.#on || node === this.#self) return
    const addresses = ownAddresses(multiaddrs.map(String)).slice(0, limits.addressesPerDial)
    if (addresses.length > 0) this.#onFound(addresses.map(each => `${each}/p2p/${node}`))
  }
}
