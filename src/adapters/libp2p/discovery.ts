// Finds other nodes of the same mesh on the local network by mDNS, while it is
// switched on. The service name carries a digest of the mesh key, so that meshes
// that share a network do not knock at each other's doors. Loaded only when used.

import { createHash } from 'node:crypto'
import type { PeerDiscovery, PeerInfo } from '@libp2p/interface'
import type { MulticastDNSComponents } from '@libp2p/mdns'
import type { NodeId } from '../../core/ids.js'
import { limits } from './limits.js'
import { ownAddresses } from './own-addresses.js'

type Service = PeerDiscovery & { start?(): unknown; stop?(): unknown }

export class Discovery {
  readonly #components: MulticastDNSComponents
  readonly #self: NodeId
  readonly #serviceTag: string
  readonly #onFound: (addresses: readonly string[]) => void
  #on = false
  #service: Service | null = null

  constructor(
    components: MulticastDNSComponents,
    self: NodeId,
    meshKey: Uint8Array | null,
    onFound: (addresses: readonly string[]) => void,
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
  }

  set(on: boolean): void {
    if (on === this.#on) return
    this.#on = on
    void this.#settle()
  }

  async #settle(): Promise<void> {
    if (this.#on && this.#service === null) {
      const { mdns } = await import('@libp2p/mdns')
      // It may have been switched off, or on again, while the module loaded.
      if (!this.#on || this.#service !== null) return
      const service: Service = mdns({ serviceTag: this.#serviceTag, interval: limits.mdnsIntervalMs })(
        this.#components,
      )
      this.#service = service
      service.addEventListener('peer', event => this.#found(event.detail))
      await service.start?.()
    } else if (!this.#on && this.#service !== null) {
      const service = this.#service
      this.#service = null
      await service.stop?.()
    }
  }

  #found({ id, multiaddrs }: PeerInfo): void {
    const node = id.toString()
    if (!this.#on || node === this.#self) return
    const addresses = ownAddresses(multiaddrs.map(String)).slice(0, limits.addressesPerDial)
    if (addresses.length > 0) this.#onFound(addresses.map(each => `${each}/p2p/${node}`))
  }
}
