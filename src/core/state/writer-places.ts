// For which writers of a space or document there is a place here. Nothing can forget a clientID that has written once,
// and who is given many could leave none to those who have not written yet. So the fewer places are left, the
// fewer one author may take, as with names of spaces (places.ts). A comparison tells whose a writer is by
// a name that can be forged, or not at all. So what is past `writersMax`, up to the slack, is kept for members that
// speak for themselves: each has some places there, whatever is said in its name.
//
// It never forgets a writer, and never refuses one that is here.

import type { NodeId } from '../ids.js'
import type { Checked } from './check.js'
import type { StateConfig } from './config.js'
import type { Replica } from './replica.js'
import { nodeOfList } from './writer.js'

/** Those who were heard to write under a clientID themselves, since this node booted. */
interface Speakers {
  readonly of: Map<number, NodeId>
  readonly counts: Map<NodeId, number>
}

/** How many writers each author has in a space, for as long as no other comes. */
interface Counted {
  readonly writers: number
  readonly counts: ReadonlyMap<NodeId | null, number>
}

type Sound = Checked & { ok: true }

export class WriterPlaces {
  readonly #config: StateConfig
  readonly #isMember: (node: NodeId) => boolean
  readonly #speakers = new WeakMap<Replica, Speakers>()
  readonly #counted = new WeakMap<Replica, Counted>()

  constructor(config: StateConfig, isMember: (node: NodeId) => boolean) {
    this.#config = config
    this.#isMember = isMember
  }

  /** Those who are new in an update, and for whom there is no place. `isBroadcast`: its sender speaks for himself. */
  withoutPlace(replica: Replica, checked: Sound, from: NodeId, isBroadcast: boolean): ReadonlySet<number> {
    const { clients } = replica.doc.store
    const { writersMax, remoteSlack } = this.#config
    const fresh = [...checked.writers.keys()].filter(client => !clients.has(client))
    const out = new Set<number>()
    // Whoever they are, nobody has had more than his share.
    if ((clients.size + fresh.length) * (SHARE + 1) <= writersMax * SHARE) return out
    const taken = new Map<NodeId | null, number>()
    let size = clients.size
    for (const client of fresh) {
      const speaker = this.#speaker(checked, client, from, isBroadcast)
      const author = speaker ?? this.#authorOf(replica, checked, client)
      const count = this.#countOf(replica, author) + (taken.get(author) ?? 0)
      // What is passed on of a raw document may be anybody's, and a newcomer has all of it from others.
      const share = replica.kind === 'doc' && author === null ? Number.POSITIVE_INFINITY : SHARE
      const isInShare = size < writersMax && count < share * (writersMax - size)
      const isKept = client === replica.client || this.#hasOwnPlace(replica, client, speaker)
      if (size >= writersMax * remoteSlack || !(isInShare || isKept)) {
        out.add(client)
        continue
      }
      size++
      taken.set(author, (taken.get(author) ?? 0) + 1)
    }
    return out
  }

  /** They have written here, or what they wrote before that is asked for: whoever brings it then, it is theirs. */
  spoke(replica: Replica, checked: Sound, from: NodeId, isBroadcast: boolean): void {
    for (const client of checked.writers.keys()) {
      const speaker = this.#speaker(checked, client, from, isBroadcast)
      const speakers = this.#speakers.get(replica) ?? { of: new Map(), counts: new Map() }
      if (speaker === null || speakers.of.has(client)) continue
      const count = speakers.counts.get(speaker) ?? 0
      if (!replica.doc.store.clients.has(client) && count >= OWN_PLACES) continue
      speakers.of.set(client, speaker)
      speakers.counts.set(speaker, count + 1)
      this.#speakers.set(replica, speakers)
    }
  }

  /** The member that is certain to write under this clientID: it broadcasts so, or says so on its own link. */
  #speaker({ authors }: Sound, client: number, from: NodeId, isBroadcast: boolean): NodeId | null {
    return isBroadcast || authors.get(client) === from ? this.#known(from) : null
  }

  #hasOwnPlace(replica: Replica, client: number, speaker: NodeId | null): boolean {
    const speakers = this.#speakers.get(replica)
    if (speaker !== null && (speakers?.counts.get(speaker) ?? 0) < OWN_PLACES) return true
    return speakers?.of.has(client) === true
  }

  #authorOf(replica: Replica, { authors }: Sound, client: number): NodeId | null {
    return this.#speakers.get(replica)?.of.get(client) ?? this.#known(authors.get(client) ?? null)
  }

  #countOf(replica: Replica, author: NodeId | null): number {
    const { doc, kind } = replica
    const speakers = this.#speakers.get(replica)
    if (kind === 'doc') return author === null ? 0 : (speakers?.counts.get(author) ?? 0)
    let counted = this.#counted.get(replica)
    if (counted?.writers !== doc.store.clients.size) {
      const counts = new Map<NodeId | null, number>()
      for (const list of doc.share.keys()) {
        const node = this.#known(nodeOfList(list))
        counts.set(node, (counts.get(node) ?? 0) + 1)
      }
      counted = { writers: doc.store.clients.size, counts }
      this.#counted.set(replica, counted)
    }
    return counted.counts.get(author) ?? 0
  }

  /** Those who are no members count as one: names can be invented as well. */
  #known(node: NodeId | null): NodeId | null {
    return node !== null && this.#isMember(node) ? node : null
  }
}

/** One author may have so many times as many as places are left: alone four fifths, of two each four ninths. */
const SHARE = 4
/** For each member that speaks for itself: its lineage, and a few that damage of its disk or an old copy of it cost. */
const OWN_PLACES = 4
