// What libp2p's peer store is asked for in a node of Shoal, from memory. As it comes, it
// takes a lock for each stream that is opened, at both ends, reads what it has of the peer
// from its protobuf, compares, writes it back, and reads it again: to note that the peer
// speaks a protocol. Members, addresses and what they are worth are the core's, and all
// nodes of a mesh speak the same protocols, so there is one answer for everybody: what this
// node speaks itself. Nothing is kept of a peer.

import type { Peer, PeerId, PeerStore } from '@libp2p/interface'

type Told = { readonly protocols?: readonly string[] }

export const answerFromMemory = (store: PeerStore, self: PeerId): void => {
  let protocols: readonly string[] = []
  const peer = (id: PeerId): Peer => ({
    id,
    addresses: [],
    protocols: [...protocols],
    metadata: new Map(),
    tags: new Map(),
  })
  const isSelf = (id: PeerId): boolean => id.equals(self)
  const get = async (id: PeerId): Promise<Peer> => peer(id)
  const merge = async (id: PeerId, told: Told): Promise<Peer> => {
    if (told.protocols !== undefined && isSelf(id))
      protocols = [...new Set([...protocols, ...told.protocols])]
    return peer(id)
  }
  const patch = async (id: PeerId, told: Told): Promise<Peer> => {
    if (told.protocols !== undefined && isSelf(id)) protocols = told.protocols
    return peer(id)
  }
  const all = async (): Promise<Peer[]> => []
  Object.assign(store, { get, merge, patch, all })
}
